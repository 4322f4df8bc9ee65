// SPDX-License-Identifier: GPL-2.0-only
/*
 * camera_pool_test working|waiting: whether the driver has the camera or not.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ktap.h"

#define BOUND "/sys/bus/platform/drivers/camera-pool/camera"
#define DRIVER "/sys/bus/platform/drivers/camera-pool"

static enum ktap_result driver_is_there(void *context)
{
	(void)context;
	return access(DRIVER, F_OK) ? ktap_fail("%s: %s", DRIVER, strerror(errno)) : KTAP_OK;
}

static enum ktap_result camera_is_bound(void *context)
{
	(void)context;
	return access(BOUND, F_OK) ? ktap_fail("%s: %s", BOUND, strerror(errno)) : KTAP_OK;
}

static enum ktap_result camera_is_not_bound(void *context)
{
	(void)context;
	return access(BOUND, F_OK) ? KTAP_OK : ktap_fail("%s is there", BOUND);
}

int main(int argc, char **argv)
{
	static const struct ktap_test working[] = {
		{ "driver-registered", driver_is_there },
		{ "camera-bound", camera_is_bound },
	};
	static const struct ktap_test waiting[] = {
		{ "driver-registered", driver_is_there },
		{ "camera-not-bound", camera_is_not_bound },
	};

	if (argc == 2 && !strcmp(argv[1], "working"))
		return ktap_run(working, 2, NULL) ? 1 : 0;
	if (argc == 2 && !strcmp(argv[1], "waiting"))
		return ktap_run(waiting, 2, NULL) ? 1 : 0;
	fprintf(stderr, "usage: camera_pool_test working|waiting\n");
	return 2;
}
