// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that a driver lends to programs as a file of fixed size, and takes back
 * when the driver is unbound, whoever still has the file open or mapped.
 *
 *	lend: the driver has its memory -> devm_buffer_file_create() -> /dev/name
 *	take back: hide the file -> gone -> wait for users -> wait for mmaps ->
 *		unmap -> (the driver frees its memory)
 *
 * What remains for a program after that is an open file in which every call
 * fails with -ENODEV, and mappings in which every access is a SIGBUS. They stay
 * so: a driver that is bound again makes a new file.
 *
 * Three lifetimes. The memory is the driver's: it ends at unbind. A struct
 * buffer_file lives until the driver and every open file have put it. The module
 * lives as long as there is an open file, for .owner counts them, and every
 * mapping keeps its file open.
 *
 * Why not a lock around the memory: read() faults pages in while it copies, and
 * a fault takes the mmap_lock, under which mmap() comes to us. A reader of SRCU
 * waits for nobody, so that there is no circle; the one who takes back waits for
 * the readers. A program can make that wait long, by having the page that
 * read() copies to come from a slow place; it cannot make it unsafe.
 */

/* #region buffer-file-includes */
#include <linux/capability.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "buffer_file.h"
#include "reserved_buffer.h"
/* #endregion buffer-file-includes */

/* #region buffer-file-state */
/* Whoever uses lent memory is in a read section of this from before the look at gone. */
DEFINE_STATIC_SRCU(users);

/**
 * struct buffer_file - lent memory and everybody who has it
 * @kref: one for the driver, one for each open file
 * @memory: what was lent; nobody touches it any more once @gone is seen
 * @gone: the memory was taken back
 * @misc: what user space opens
 * @opens_lock: taken by open, release and taking back
 * @opens: every struct buffer_open
 * @mappers_lock: taken by mmap, the vmas' close and taking back
 * @mappers: every struct buffer_mapper
 */
struct buffer_file {
	struct kref kref;
	struct buffer_memory memory;
	bool gone;
	struct miscdevice misc;
	struct mutex opens_lock;	/* guards opens */
	struct list_head opens;
	spinlock_t mappers_lock;	/* guards mappers, and each one's last put */
	struct list_head mappers;
};

/* #endregion buffer-file-state */

/* #region buffer-file-open-state */
/**
 * struct buffer_open - one open file, behind its private_data
 * @buffer: what it shows; holds a reference
 * @file: the file, whose f_mapping knows the mappings made through it
 * @node: in @buffer->opens
 */
struct buffer_open {
	struct buffer_file *buffer;
	struct file *file;
	struct list_head node;
};

static struct buffer_file *from_file(struct file *file)
{
	struct buffer_open *open = file->private_data;

	return open->buffer;
}

static void buffer_file_free(struct kref *kref)
{
	kfree(container_of(kref, struct buffer_file, kref));
}

/* #endregion buffer-file-open-state */

/* #region buffer-file-open */
/*
 * misc_open() left a pointer to our miscdevice in the file, and holds the mutex
 * that misc_deregister() needs: the driver's reference is still there.
 */
static int buffer_file_open(struct inode *inode, struct file *file)
{
	struct buffer_file *buffer = container_of(file->private_data, struct buffer_file, misc);
	struct buffer_open *open = kzalloc(sizeof(*open), GFP_KERNEL);

	if (!open)
		return -ENOMEM;
	kref_get(&buffer->kref);
	open->buffer = buffer;
	open->file = file;
	file->private_data = open;

	mutex_lock(&buffer->opens_lock);
	list_add(&open->node, &buffer->opens);
	mutex_unlock(&buffer->opens_lock);

	return 0;
}

/* #endregion buffer-file-open */

/* #region buffer-file-release */
/* The last descriptor and the last mapping are gone; the driver may be, too. */
static int buffer_file_release(struct inode *inode, struct file *file)
{
	struct buffer_open *open = file->private_data;
	struct buffer_file *buffer = open->buffer;

	mutex_lock(&buffer->opens_lock);
	list_del(&open->node);
	mutex_unlock(&buffer->opens_lock);

	kfree(open);
	kref_put(&buffer->kref, buffer_file_free);

	return 0;
}

/* #endregion buffer-file-release */

/* #region buffer-file-read */
static ssize_t buffer_file_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	struct buffer_file *buffer = from_file(file);
	const struct buffer_memory *memory = &buffer->memory;
	ssize_t ret = -ENODEV;
	int idx = srcu_read_lock(&users);

	if (!READ_ONCE(buffer->gone))
		ret = simple_read_from_buffer(to, count, pos, memory->cpu_addr, memory->size);
	srcu_read_unlock(&users, idx);

	return ret;
}

/* #endregion buffer-file-read */

/* #region buffer-file-write */
/*
 * Past the end, 0 would send a program that writes in a loop round for ever. And
 * not copy_from_user(): it clears what it cannot fetch, here bytes of the buffer
 * that nobody wrote to.
 */
static ssize_t write_memory(const struct buffer_memory *memory, loff_t *pos, struct iov_iter *from)
{
	size_t count = iov_iter_count(from);

	if (!count)
		return 0;
	if (*pos >= memory->size)
		return -ENOSPC;
	count = min_t(u64, count, memory->size - *pos);
	count = copy_from_iter(memory->cpu_addr + *pos, count, from);
	*pos += count;

	return count ?: -EFAULT;
}

/* #endregion buffer-file-write */

/* #region buffer-file-write-seek */
static ssize_t buffer_file_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct buffer_file *buffer = from_file(iocb->ki_filp);
	int idx = srcu_read_lock(&users);
	ssize_t ret = -ENODEV;

	if (!READ_ONCE(buffer->gone))
		ret = write_memory(&buffer->memory, &iocb->ki_pos, from);
	srcu_read_unlock(&users, idx);

	return ret;
}

/* Only the size is needed, which stays known; the rest of the memory is not. */
static loff_t buffer_file_llseek(struct file *file, loff_t offset, int whence)
{
	struct buffer_file *buffer = from_file(file);

	if (READ_ONCE(buffer->gone))
		return -ENODEV;

	return fixed_size_llseek(file, offset, whence, buffer->memory.size);
}

/* #endregion buffer-file-write-seek */

/* #region buffer-file-ioctl */
/**
 * buffer_file_ioctl() - tell root where the memory lies
 * @file: the open device
 * @cmd: RESERVED_BUFFER_INFO
 * @arg: user pointer to a struct reserved_buffer_info
 *
 * Return: 0, -ENODEV when the memory was taken back, -EPERM without
 * CAP_SYS_RAWIO, -EFAULT for a bad pointer, -ENOTTY for any other command.
 */
static long buffer_file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct buffer_file *buffer = from_file(file);
	const struct buffer_memory *memory = &buffer->memory;
	struct reserved_buffer_info info = { .size = memory->size, .address = memory->address };

	if (READ_ONCE(buffer->gone))
		return -ENODEV;
	if (cmd != RESERVED_BUFFER_INFO)
		return -ENOTTY;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	return copy_to_user((void __user *)arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/* #endregion buffer-file-ioctl */

/* #region buffer-file-mapper */
/**
 * struct buffer_mapper - one call of mmap(), and what became of it
 * @count: its vmas: one at first, more after a fork or a munmap in the middle
 * @buffer: alive as long as a vma, for that holds the file
 * @mm: the address space that called; only the structure is held, not its pages
 * @node: in @buffer->mappers
 */
struct buffer_mapper {
	refcount_t count;
	struct buffer_file *buffer;
	struct mm_struct *mm;
	struct list_head node;
};

/* A spinlock: vmas are closed under the mmap_lock, which taking back waits for. */
static void mapper_put(struct buffer_mapper *mapper)
{
	struct buffer_file *buffer = mapper->buffer;
	bool last;

	spin_lock(&buffer->mappers_lock);
	last = refcount_dec_and_test(&mapper->count);
	if (last)
		list_del(&mapper->node);
	spin_unlock(&buffer->mappers_lock);
	if (!last)
		return;
	mmdrop(mapper->mm);
	kfree(mapper);
}

/* #endregion buffer-file-mapper */

/* #region buffer-file-mapper-create */
static struct buffer_mapper *mapper_create(struct buffer_file *buffer)
{
	struct buffer_mapper *mapper = kzalloc(sizeof(*mapper), GFP_KERNEL);

	if (!mapper)
		return NULL;
	refcount_set(&mapper->count, 1);
	mapper->buffer = buffer;
	mapper->mm = current->mm;
	mmgrab(mapper->mm);

	spin_lock(&buffer->mappers_lock);
	list_add(&mapper->node, &buffer->mappers);
	spin_unlock(&buffer->mappers_lock);

	return mapper;
}

/* #endregion buffer-file-mapper-create */

/* #region buffer-file-mapper-take */
/* One off the list, with a reference so that its vmas may be closed meanwhile. */
static struct buffer_mapper *mapper_take(struct buffer_file *buffer)
{
	struct buffer_mapper *mapper;

	spin_lock(&buffer->mappers_lock);
	mapper = list_first_entry_or_null(&buffer->mappers, struct buffer_mapper, node);
	if (mapper) {
		list_del_init(&mapper->node);
		refcount_inc(&mapper->count);
	}
	spin_unlock(&buffer->mappers_lock);

	return mapper;
}

/* #endregion buffer-file-mapper-take */

/* #region buffer-file-vm-ops */
static void buffer_file_vm_open(struct vm_area_struct *vma)
{
	struct buffer_mapper *mapper = vma->vm_private_data;

	refcount_inc(&mapper->count);
}

static void buffer_file_vm_close(struct vm_area_struct *vma)
{
	mapper_put(vma->vm_private_data);
}

/* mmap() mapped every page. One that is missing was taken back. */
static vm_fault_t buffer_file_fault(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct buffer_file_vm_ops = {
	.open = buffer_file_vm_open,
	.close = buffer_file_vm_close,
	.fault = buffer_file_fault,
};

/* #endregion buffer-file-vm-ops */

/* #region buffer-file-map */
/* Enter the caller, then map: see buffer_file_wait_for_mmaps() for the order. */
static int buffer_file_map(struct buffer_file *buffer, struct vm_area_struct *vma)
{
	struct buffer_mapper *mapper = mapper_create(buffer);
	int ret;

	if (!mapper)
		return -ENOMEM;
	ret = buffer->memory.map(&buffer->memory, vma);
	if (ret) {
		mapper_put(mapper);
		return ret;
	}

	/* The first vma is not opened: it has the count that mapper_create() set. */
	vma->vm_private_data = mapper;
	vma->vm_ops = &buffer_file_vm_ops;
	return 0;
}

/* #endregion buffer-file-map */

/* #region buffer-file-mmap */
/**
 * buffer_file_mmap() - map the memory, or pages of it, into a program
 * @file: the open device
 * @vma: the range; its offset counts from the start of the memory
 *
 * Return: 0, -ENODEV when the memory was taken back, -EINVAL for a private
 * mapping, -ENOMEM, or what the driver's map() says of pages that are not there.
 */
static int buffer_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct buffer_file *buffer = from_file(file);
	int idx = srcu_read_lock(&users);
	int ret = -ENODEV;

	/*
	 * A private mapping would become a copy at the first write. Ask for
	 * VM_MAYSHARE: a shared mapping of a read-only file has no VM_SHARED.
	 */
	if (!READ_ONCE(buffer->gone))
		ret = vma->vm_flags & VM_MAYSHARE ? buffer_file_map(buffer, vma) : -EINVAL;
	srcu_read_unlock(&users, idx);

	return ret;
}

/* #endregion buffer-file-mmap */

/* #region buffer-file-fops */
static const struct file_operations buffer_file_fops = {
	.owner = THIS_MODULE,
	.open = buffer_file_open,
	.release = buffer_file_release,
	.llseek = buffer_file_llseek,
	.read = buffer_file_read,
	.write_iter = buffer_file_write_iter,
	.unlocked_ioctl = buffer_file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = buffer_file_mmap,
};

/* #endregion buffer-file-fops */

/* #region buffer-file-wait-for-mmaps */
/*
 * mmap(2) enters a vma in the list that unmap_mapping_range() goes through only
 * after our mmap() has returned, with its pages in place: in between, unmapping
 * would miss it. But from before our mmap() to behind that entry the caller has
 * its mmap_lock. So take, once, the lock of each who got through; no other will.
 *
 * Filling pages in at faults would need no such thing (vfio does so), but needs
 * page numbers, and the DMA API tells none: it has dma_mmap_coherent(), which
 * maps a vma as a whole and sets its flags, and that is allowed in mmap() only.
 */
static void buffer_file_wait_for_mmaps(struct buffer_file *buffer)
{
	struct buffer_mapper *mapper;

	while ((mapper = mapper_take(buffer))) {
		mmap_read_lock(mapper->mm);
		mmap_read_unlock(mapper->mm);
		mapper_put(mapper);
	}
}

/* #endregion buffer-file-wait-for-mmaps */

/* #region buffer-file-unmap */
/*
 * Each file by itself, since a device may have several nodes, and the list of
 * mappings is the node's (two files of one node: the second finds it empty). A
 * fork needs no waiting: it enters the child's vma in the list behind the
 * parent's, and then copies.
 */
static void buffer_file_unmap(struct buffer_file *buffer)
{
	struct buffer_open *open;

	mutex_lock(&buffer->opens_lock);
	list_for_each_entry(open, &buffer->opens, node)
		unmap_mapping_range(open->file->f_mapping, 0, 0, 1);
	mutex_unlock(&buffer->opens_lock);
}

/* #endregion buffer-file-unmap */

/* #region buffer-file-take-back */
static void buffer_file_take_back(void *data)
{
	struct buffer_file *buffer = data;

	misc_deregister(&buffer->misc);
	WRITE_ONCE(buffer->gone, true);
	synchronize_srcu(&users);
	buffer_file_wait_for_mmaps(buffer);
	buffer_file_unmap(buffer);
	kref_put(&buffer->kref, buffer_file_free);
}

/* #endregion buffer-file-take-back */

/* #region buffer-file-create-state */
static struct buffer_file *buffer_file_alloc(const struct buffer_memory *memory)
{
	struct buffer_file *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);

	if (!buffer)
		return NULL;
	kref_init(&buffer->kref);
	buffer->memory = *memory;
	mutex_init(&buffer->opens_lock);
	INIT_LIST_HEAD(&buffer->opens);
	spin_lock_init(&buffer->mappers_lock);
	INIT_LIST_HEAD(&buffer->mappers);

	buffer->misc.minor = MISC_DYNAMIC_MINOR;
	buffer->misc.name = memory->name;
	buffer->misc.fops = &buffer_file_fops;
	buffer->misc.parent = memory->dev;
	buffer->misc.mode = 0600;

	return buffer;
}

/* #endregion buffer-file-create-state */

/* #region buffer-file-create */
/**
 * devm_buffer_file_create() - lend memory to programs until the driver is unbound
 * @memory: what to lend; copied
 *
 * Call it last in probe, for a program may open the file before this returns, and
 * after the memory got its own devm entries: devm undoes the newest first, so
 * that the file is taken back before the memory goes.
 *
 * Return: 0 or an error.
 */
int devm_buffer_file_create(const struct buffer_memory *memory)
{
	struct buffer_file *buffer = buffer_file_alloc(memory);
	int ret;

	if (!buffer)
		return -ENOMEM;
	ret = misc_register(&buffer->misc);
	if (ret) {
		kref_put(&buffer->kref, buffer_file_free);
		return dev_err_probe(memory->dev, ret, "/dev/%s cannot be made\n", memory->name);
	}
	return devm_add_action_or_reset(memory->dev, buffer_file_take_back, buffer);
}

/* #endregion buffer-file-create */
