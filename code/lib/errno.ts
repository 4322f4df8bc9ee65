// SPDX-License-Identifier: MIT
//
// The error numbers that this book meets. A function that models one of the kernel's returns `-EBUSY` and the like,
// exactly as Linux does; it never throws for them.
//
// @kernel include/uapi/asm-generic/errno-base.h, errno.h v6.12

// #region errno
export const EPERM = 1
export const ENOENT = 2
export const EINTR = 4
export const EIO = 5
export const ENXIO = 6
export const EBADF = 9
export const EAGAIN = 11
export const ENOMEM = 12
export const EACCES = 13
export const EFAULT = 14
export const EBUSY = 16
export const EEXIST = 17
export const ENODEV = 19
export const EINVAL = 22
export const ENOTTY = 25
export const ENOSPC = 28
export const EOVERFLOW = 75
// #endregion errno
