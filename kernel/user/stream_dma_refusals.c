// SPDX-License-Identifier: GPL-2.0-only
/*
 * What stream_dma must refuse, each with its errno, and never by doing half.
 */

/* #region stream-refused */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stream_dma_test.h"

#define AT	0x1000

/* ioctl(2) must fail with this errno. */
enum ktap_result refused(int fd, unsigned long command, void *argument, int expected,
			 const char *what)
{
	if (!ioctl(fd, command, argument))
		return ktap_fail("%s: was done, expected %s", what, strerrorname_np(expected));
	if (errno != expected)
		return ktap_fail("%s: %s, expected %s", what, strerrorname_np(errno),
				 strerrorname_np(expected));

	return KTAP_OK;
}

static bool map_refused(int fd, struct stream_dma_map map, int expected, const char *what)
{
	return refused(fd, STREAM_DMA_MAP, &map, expected, what) == KTAP_OK;
}

static bool transfer_refused(int fd, struct stream_dma_transfer t, int expected, const char *what)
{
	return refused(fd, STREAM_DMA_TRANSFER, &t, expected, what) == KTAP_OK;
}

static bool sync_refused(int fd, struct stream_dma_sync sync, int expected, const char *what)
{
	return refused(fd, STREAM_DMA_SYNC, &sync, expected, what) == KTAP_OK;
}

/* #endregion stream-refused */

/* #region test-wrong-way */
/* What is lent to be read by the device is not written by it, nor the other way. */
enum ktap_result test_wrong_way(void *lending)
{
	struct stream_dma_map out = piece(STREAM_DMA_SINGLE, STREAM_DMA_TO_DEVICE, AT, 64);
	struct stream_dma_map in = piece(STREAM_DMA_SINGLE, STREAM_DMA_FROM_DEVICE, AT, 64);
	struct stream_dma_transfer to_device = { STREAM_DMA_TO_DEVICE, 0, 0, 64 };
	struct stream_dma_transfer from_device = { STREAM_DMA_FROM_DEVICE, 0, 0, 64 };
	struct stream_dma_transfer both = { STREAM_DMA_BIDIRECTIONAL, 0, 0, 64 };
	int fd = ((struct lending *)lending)->fd;
	struct stream_dma_info before, after;

	if (!look(fd, &before) || !lend(fd, &out) ||
	    !transfer_refused(fd, from_device, EINVAL, "into what is lent for reading") ||
	    !transfer_refused(fd, both, EINVAL, "both ways") || !take_back(fd))
		return KTAP_FAIL;
	if (!lend(fd, &in) ||
	    !transfer_refused(fd, to_device, EINVAL, "out of what is lent for writing") ||
	    !take_back(fd) || !look(fd, &after))
		return KTAP_FAIL;
	if (after.commands != before.commands)
		return ktap_fail("the device was told to copy all the same");

	return KTAP_OK;
}

enum ktap_result test_nothing_lent(void *lending)
{
	struct stream_dma_transfer t = { STREAM_DMA_TO_DEVICE, 0, 0, 64 };
	struct stream_dma_sync sync = { .owner = STREAM_DMA_FOR_CPU };
	int fd = ((struct lending *)lending)->fd;

	if (!transfer_refused(fd, t, ENOENT, "TRANSFER of nothing") ||
	    !sync_refused(fd, sync, ENOENT, "SYNC of nothing"))
		return KTAP_FAIL;

	return refused(fd, STREAM_DMA_UNMAP, NULL, ENOENT, "UNMAP of nothing");
}

/* One loan at a time; and the CPU does not write where the device does. */
enum ktap_result test_lent_already(void *lending)
{
	struct stream_dma_map map = piece(STREAM_DMA_SINGLE, STREAM_DMA_FROM_DEVICE, AT, 64);
	struct stream_dma_map again = piece(STREAM_DMA_SINGLE, STREAM_DMA_TO_DEVICE, 0, 64);
	int fd = ((struct lending *)lending)->fd;
	char byte = 1;

	if (!lend(fd, &map) || !map_refused(fd, again, EBUSY, "a second loan"))
		return KTAP_FAIL;
	if (pwrite(fd, &byte, 1, AT + 63) != -1 || errno != EBUSY)
		return ktap_fail("the last byte lent could be written, expected EBUSY");
	if (pwrite(fd, &byte, 1, AT - 1) != 1 || pwrite(fd, &byte, 1, AT + 64) != 1)
		return ktap_fail("bytes beside the loan: %s", strerror(errno));

	return take_back(fd) ? KTAP_OK : KTAP_FAIL;
}

static bool list_refused(int fd, uint32_t direction, uint32_t second, const char *what)
{
	struct stream_dma_map map = piece(STREAM_DMA_SG, direction, AT, 60);

	add_piece(&map, second, 60);
	return map_refused(fd, map, EINVAL, what);
}

/* Pieces that are none, or that are in each other's way. */
enum ktap_result test_bad_pieces(void *lending)
{
	struct stream_dma_map two = piece(STREAM_DMA_SINGLE, STREAM_DMA_TO_DEVICE, AT, 64);
	struct stream_dma_map none = two, nine = two;
	int fd = ((struct lending *)lending)->fd;

	none.pieces = 0;
	two.pieces = 2;
	nine.pieces = 9;
	nine.kind = STREAM_DMA_SG;

	return map_refused(fd, none, EINVAL, "no pieces") &&
	       map_refused(fd, two, EINVAL, "two pieces in one mapping") &&
	       map_refused(fd, nine, EINVAL, "nine pieces") &&
	       list_refused(fd, STREAM_DMA_TO_DEVICE, AT + 59, "pieces that overlap") &&
	       list_refused(fd, STREAM_DMA_TO_DEVICE, 0, "pieces in falling order") &&
	       list_refused(fd, STREAM_DMA_FROM_DEVICE, AT + 61, "pieces in one cache line") ?
	       KTAP_OK : KTAP_FAIL;
}

static bool bad_maps(int fd, uint32_t size)
{
	struct stream_dma_map kind = piece(4, STREAM_DMA_TO_DEVICE, AT, 64);
	struct stream_dma_map flags = piece(STREAM_DMA_PAGE, STREAM_DMA_TO_DEVICE, AT, 64);
	struct stream_dma_map reserved = flags;

	flags.flags = 2;
	reserved.reserved = 1;
	return map_refused(fd, kind, EINVAL, "kind 4") &&
	       map_refused(fd, flags, EINVAL, "flag 2") &&
	       map_refused(fd, reserved, EINVAL, "reserved 1") &&
	       map_refused(fd, piece(0, 3, AT, 64), EINVAL, "direction 3") &&
	       map_refused(fd, piece(0, 1, AT, 0), EINVAL, "no bytes") &&
	       map_refused(fd, piece(0, 1, size, 1), EINVAL, "the byte behind the buffer") &&
	       map_refused(fd, piece(0, 1, size - 1, 2), EINVAL, "bytes across its end") &&
	       map_refused(fd, piece(0, 1, 2, UINT32_MAX), EINVAL, "a length that wraps");
}

enum ktap_result test_bad_ranges(void *lending)
{
	static const struct stream_dma_transfer transfers[] = {
		{ STREAM_DMA_TO_DEVICE, 0, 0, 0 }, { STREAM_DMA_TO_DEVICE, 0, 100, 1 },
		{ STREAM_DMA_TO_DEVICE, 0, 99, 2 }, { STREAM_DMA_TO_DEVICE, 4095, 0, 1 },
		{ STREAM_DMA_TO_DEVICE, 4094, 0, 2 }, { STREAM_DMA_TO_DEVICE, UINT32_MAX, 0, 2 },
		{ STREAM_DMA_TO_DEVICE, 0, UINT32_MAX, 2 }, { 3, 0, 0, 1 },
	};
	static const struct stream_dma_sync syncs[] = {
		{ 2, 0, 0, 0 }, { 0, 101, 0, 0 }, { 0, 99, 2, 0 }, { 0, 0, 0, 1 },
		{ 0, 2, UINT32_MAX, 0 }, { 0, 100, 0, 0 },
	};
	struct stream_dma_map map = piece(STREAM_DMA_SINGLE, STREAM_DMA_TO_DEVICE, AT, 100);
	int fd = ((struct lending *)lending)->fd;
	struct stream_dma_info info;

	if (!look(fd, &info) || !bad_maps(fd, info.buffer_size) || !lend(fd, &map))
		return KTAP_FAIL;
	for (size_t i = 0; i < sizeof(transfers) / sizeof(*transfers); i++)
		if (!transfer_refused(fd, transfers[i], EINVAL, "TRANSFER out of range"))
			return KTAP_FAIL;
	for (size_t i = 0; i < sizeof(syncs) / sizeof(*syncs); i++)
		if (!sync_refused(fd, syncs[i], EINVAL, "SYNC out of range"))
			return KTAP_FAIL;
	if (!take_back(fd))
		return KTAP_FAIL;
	map.kind = STREAM_DMA_SG;
	if (!lend(fd, &map) ||
	    !sync_refused(fd, (struct stream_dma_sync) { 0, 0, 50, 0 }, EINVAL, "half a list"))
		return KTAP_FAIL;

	return take_back(fd) ? KTAP_OK : KTAP_FAIL;
}

/* Bad pointers, an unknown command, and the end of the file. */
enum ktap_result test_bad_calls(void *lending)
{
	static const unsigned long commands[] = {
		STREAM_DMA_INFO, STREAM_DMA_MAP, STREAM_DMA_SYNC, STREAM_DMA_TRANSFER,
	};
	int fd = ((struct lending *)lending)->fd;
	struct stream_dma_info info;
	char byte = 0;

	for (int i = 0; i < 4; i++)
		if (refused(fd, commands[i], (void *)8, EFAULT, "a bad pointer") != KTAP_OK)
			return KTAP_FAIL;
	if (refused(fd, _IO(0xbc, 0x7f), NULL, ENOTTY, "command 0x7f") != KTAP_OK ||
	    refused(fd, _IO(0xbd, 0x44), NULL, ENOTTY, "another type") != KTAP_OK ||
	    !look(fd, &info))
		return KTAP_FAIL;
	if (pwrite(fd, &byte, 1, info.buffer_size) != -1 || errno != ENOSPC)
		return ktap_fail("a byte was written behind the end, expected ENOSPC");
	if (pread(fd, &byte, 1, info.buffer_size) != 0)
		return ktap_fail("a byte was read behind the end, expected none");

	return KTAP_OK;
}

/* In a child that is nobody: the loan works, but no address is told. */
static bool nobody_sees_none(int fd)
{
	struct stream_dma_map map = piece(STREAM_DMA_SG, STREAM_DMA_TO_DEVICE, AT, 64);

	add_piece(&map, AT + 0x100, 64);
	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534) || !lend(fd, &map))
		return false;
	for (int i = 0; i < STREAM_DMA_PIECES; i++)
		if (map.piece[i].phys_addr || map.segment[i].dma_addr)
			return false;

	return map.segments >= 1 && take_back(fd);
}

enum ktap_result test_addresses_are_private(void *lending)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return ktap_fail("fork: %s", strerror(errno));
	if (child == 0)
		_exit(nobody_sees_none(((struct lending *)lending)->fd) ? 0 : 1);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status))
		return ktap_fail("without privilege: addresses were told, or no loan given");

	return KTAP_OK;
}

/* #endregion test-wrong-way */

/* #region test-maps-refused */
/* No mapping of memory out of reach: said by errno, and nothing else happens. */
enum ktap_result test_maps_refused(void *lending)
{
	static const char *const names[] = { "single", "page", "list" };
	int fd = ((struct lending *)lending)->fd;
	struct stream_dma_info before, after;

	if (!look(fd, &before) || !put_pattern(fd, AT, 64, 4))
		return KTAP_FAIL;
	for (int kind = STREAM_DMA_SINGLE; kind <= STREAM_DMA_SG; kind++) {
		struct stream_dma_map map = piece(kind, STREAM_DMA_FROM_DEVICE, AT, 64);
		struct stream_dma_transfer t = { STREAM_DMA_FROM_DEVICE, 0, 0, 64 };

		if (!map_refused(fd, map, ENOMEM, names[kind]) ||
		    !transfer_refused(fd, t, ENOENT, "a copy after it"))
			return KTAP_FAIL;
	}
	if (!same_pattern(fd, AT, 64, 4) || !look(fd, &after))
		return KTAP_FAIL;
	if (after.commands != before.commands || after.lent)
		return ktap_fail("the device was told to copy, or has something lent");

	return KTAP_OK;
}

/* Coherent memory is still there: it is taken from where the device reaches. */
enum ktap_result test_coherent_in_reach(void *lending)
{
	struct stream_dma_map map = piece(STREAM_DMA_COHERENT, STREAM_DMA_BIDIRECTIONAL, 0, 4096);
	const struct lending *l = lending;

	if (!lend(l->fd, &map))
		return KTAP_FAIL;
	if ((map.segment[0].dma_addr + 4095) >> l->bits)
		return ktap_fail("address %#llx", (unsigned long long)map.segment[0].dma_addr);
	if (!put_pattern(l->fd, 0, 2000, 3) || !copy_out(l->fd, 0, 2000, 0) ||
	    !copy_in(l->fd, 2000, 2000, 0) || !same_pattern(l->fd, 2000, 2000, 3))
		return KTAP_FAIL;

	return take_back(l->fd) ? KTAP_OK : KTAP_FAIL;
}

/* #endregion test-maps-refused */
