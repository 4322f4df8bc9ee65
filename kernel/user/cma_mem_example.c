// SPDX-License-Identifier: GPL-2.0-only
/*
 * cma_mem_example [DEVICE]
 *
 * A frame for a display: asks /dev/cma_mem for it, draws into it, and reads back
 * through the kernel what it drew. Every step can fail and is looked at: 0 when
 * all went well, 1 with a line that says which step did not.
 */

/* #region cma-mem-example-includes */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cma_mem.h"

#define WIDTH 800
#define HEIGHT 480

/* A step that went wrong: what the kernel said of it, and the end. */
static void must(int worked, const char *step)
{
	if (worked)
		return;
	perror(step);
	exit(1);
}

/* #endregion cma-mem-example-includes */

/* #region cma-mem-example-draw */
/* The colour of a pixel: another one for each, so that none can be taken for another. */
static uint32_t colour(uint32_t x, uint32_t y)
{
	return 0xff000000 | y << 12 | x;
}

static void draw(uint32_t *frame)
{
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			frame[y * WIDTH + x] = colour(x, y);
}

/* #endregion cma-mem-example-draw */

/* #region cma-mem-example-check */
/* Line by line, as the kernel sees the buffer: how many pixels are not as drawn. */
static unsigned int wrong_pixels(int fd)
{
	uint32_t line[WIDTH];
	unsigned int wrong = 0;

	for (uint32_t y = 0; y < HEIGHT; y++) {
		must(pread(fd, line, sizeof(line), y * sizeof(line)) == sizeof(line), "pread");
		for (uint32_t x = 0; x < WIDTH; x++)
			wrong += line[x] != colour(x, y);
	}

	return wrong;
}

/* #endregion cma-mem-example-check */

/* #region cma-mem-example-main */
int main(int argc, char **argv)
{
	struct cma_mem_allocate ask = {
		.size = WIDTH * HEIGHT * sizeof(uint32_t), .flags = CMA_MEM_WRITE_COMBINE,
	};
	struct cma_mem_range all = { .length = ask.size };
	unsigned int wrong;
	uint32_t *frame;
	int fd;

	fd = open(argc > 1 ? argv[1] : "/dev/cma_mem", O_RDWR);
	must(fd >= 0, "open");
	must(!ioctl(fd, CMA_MEM_ALLOCATE, &ask), "CMA_MEM_ALLOCATE");
	frame = mmap(NULL, ask.granted, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(frame != MAP_FAILED, "mmap");
	draw(frame);
	must(!ioctl(fd, CMA_MEM_CACHE_FLUSH, &all), "CMA_MEM_CACHE_FLUSH");
	wrong = wrong_pixels(fd);
	printf("%u pixels drawn, %u of them wrong\n", WIDTH * HEIGHT, wrong);
	must(!munmap(frame, ask.granted), "munmap");
	must(!ioctl(fd, CMA_MEM_FREE), "CMA_MEM_FREE");
	must(!close(fd), "close");
	return wrong ? 1 : 0;
}

/* #endregion cma-mem-example-main */
