// SPDX-License-Identifier: MIT
//
// The guest's /init: a script for busybox that carries out a boot's steps and hands everything back over the serial line
// (transcript.ts reads it).
//
// What a step prints goes to a file first and comes back between two marks, each line behind a `|`, with its length in
// bytes: a line that the kernel printed in between is told from it, and one that got torn is noticed.
//
//     @contig step 0                         the step begins
//     @contig begin step 0
//     |KTAP version 1
//     @contig end step 0 exit 0 bytes 15
//     @contig begin text dmesg … @contig end text dmesg exit 0 bytes N
//     @contig done
import { basename } from 'node:path'
import type { Board } from './board.ts'
import type { LabBoot, LabStep } from './lab_schema.ts'

/** A step prints no more than this, or it is stopped. */
export const STEP_BYTES = 1024 * 1024

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

const PROLOGUE = `#!/bin/busybox sh
# Made by contig: carries out the steps of one boot.
/bin/busybox mkdir -p /proc /sys /dev /tmp
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
export PATH=/bin HOME=/
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t debugfs debugfs /sys/kernel/debug
mount -t tmpfs tmpfs /tmp
stty -opost < /dev/console
# Kernel messages are read from the log at the end; on the console they would run into what steps print.
dmesg -n 1
echo on > /proc/sys/kernel/printk_devkmsg
echo '<6>contig: began' > /dev/kmsg
cd /tmp

say() { echo "@contig $*"; }

# give KIND NAME EXIT FILE
give() {
	say begin "$1" "$2"
	sed 's/^/|/' "$4"
	echo
	say end "$1" "$2" exit "$3" bytes $(wc -c < "$4")
}

# text NAME COMMAND…
text() {
	name=$1
	shift
	"$@" > /tmp/contig.out 2>&1
	give text "$name" $? /tmp/contig.out
}

stopped=
# step NUMBER RIGHT-EXIT VITAL COMMAND…: after a vital step that went wrong the rest makes no sense.
step() {
	number=$1 right=$2 vital=$3
	shift 3
	[ -z "$stopped" ] || return
	say step "$number"
	echo "<6>contig: step $number" > /dev/kmsg
	(set -o pipefail; "$@" 2>&1 < /dev/null | head -c ${STEP_BYTES} > /tmp/contig.out)
	code=$?
	give step "$number" "$code" /tmp/contig.out
	[ "$code" = "$right" ] || [ "$vital" = no ] || stopped=$number
}

to_file() { echo "$1" > "$2"; }
`

// Events are recorded from before the first step to after the last, in memory enough for a boot's worth of them.
const TRACE_KIB = 16384
const traceOn = (events: readonly string[]): string =>
  [
    'mount -t tracefs tracefs /sys/kernel/tracing\n',
    `echo ${TRACE_KIB} > /sys/kernel/tracing/buffer_size_kb\n`,
    'echo 1 > /sys/kernel/tracing/options/record-tgid\n',
    // A missing group or event is a mistake of the lab; the message comes back with the trace.
    ...events.map(
      (event) => `echo 1 > /sys/kernel/tracing/events/${event}/enable || missing="$missing ${event}"\n`,
    ),
  ].join('')
const TRACE_OFF = `echo 0 > /sys/kernel/tracing/tracing_on
text trace cat /sys/kernel/tracing/trace
text trace-lost sh -c "grep -h overrun /sys/kernel/tracing/per_cpu/cpu*/stats | grep -v ': 0$'; echo $missing"
`

// kmemleak tells of nothing that is younger than five seconds, and finds some only at a second look.
const LEAKS = `if [ -e /sys/kernel/debug/kmemleak ]; then
	sleep 6
	echo scan > /sys/kernel/debug/kmemleak
	echo scan > /sys/kernel/debug/kmemleak
	text kmemleak cat /sys/kernel/debug/kmemleak
fi
`

// A change of a terminal's settings waits until all is sent; power that goes off does not.
const DRAINED = 'stty opost < /dev/console\n'

/** A step in the guest's words, and in a person's. */
export function stepWords(step: LabStep): { words: string[]; title: string; vital: boolean } {
  if (step.load !== undefined) {
    const params = step.params?.split(/\s+/).filter(Boolean) ?? []
    return {
      words: ['insmod', `/modules/${step.load}.ko`, ...params],
      title: ['load', step.load, ...params].join(' '),
      vital: true,
    }
  }
  if (step.unload !== undefined)
    return { words: ['rmmod', step.unload], title: `unload ${step.unload}`, vital: true }
  if (step.run !== undefined) {
    const args = step.args ?? []
    return {
      words: [`/programs/${step.run}`, ...args],
      title: ['run', step.run, ...args].join(' '),
      vital: false,
    }
  }
  const place = step.bind ?? step.unbind
  if (place) {
    const verb = step.bind ? 'bind' : 'unbind'
    const file = `/sys/bus/platform/drivers/${place.driver}/${verb}`
    return { words: ['to_file', place.device, file], title: `${verb} ${place.device}`, vital: true }
  }
  return { words: ['sh', '-c', step.shell ?? ''], title: step.shell ?? '', vital: false }
}

/** What comes back from a boot by name: what the lab asks for, and what a comparison with a model needs. */
export function collects(boot: LabBoot): NonNullable<LabBoot['collect']> {
  // As fixed words: among 150,000 lines a regular expression takes busybox seconds.
  const symbols = "grep -F -e ' _text' -e ' _stext' -e ' __init_begin' /proc/kallsyms"
  const forModel = [
    { name: 'kallsyms', shell: symbols },
    // QEMU pads its trees to 1 MiB: over a serial line that is many seconds of zeros.
    { name: 'fdt', shell: 'gzip -c /sys/firmware/fdt', binary: true },
  ]
  return [...(boot.compare === undefined ? [] : forModel), ...(boot.collect ?? [])]
}

/** The script for one boot. */
export function guestInit(boot: LabBoot, end: Board['end']): string {
  const steps = (boot.steps ?? []).map((step, number) => {
    const { words, vital } = stepWords(step)
    return `step ${number} ${step.exit ?? 0} ${vital ? 'yes' : 'no'} ${words.map(quoted).join(' ')}\n`
  })
  const collected = collects(boot).map(({ name, file, shell, binary }) => {
    const command = shell ?? `cat ${quoted(file ?? '')}`
    return `text ${quoted(`own-${name}`)} sh -c ${quoted(binary ? `(${command}) | base64` : command)}\n`
  })
  return [
    PROLOGUE,
    'text iomem-before cat /proc/iomem\n',
    ...(boot.trace ? [traceOn(boot.trace)] : []),
    ...steps,
    ...(boot.trace ? [TRACE_OFF] : []),
    LEAKS,
    'text dmesg dmesg\n',
    'text iomem cat /proc/iomem\n',
    'text modules cat /proc/modules\n',
    ...collected,
    `\nsay done\n${DRAINED}${end}\n`,
  ].join('')
}

/** Where a module or program of this file name lies in the guest. */
export const guestPlace = (file: string): string =>
  file.endsWith('.ko') ? `modules/${basename(file)}` : `programs/${basename(file)}`
