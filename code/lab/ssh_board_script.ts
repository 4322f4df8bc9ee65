// SPDX-License-Identifier: MIT
//
// What runs on a real board: one shell script, as root, that carries out a boot's steps and hands everything back in the
// words of guest_init.ts. It owns one private folder, and whatever happens it removes that folder, ends every process
// that it started, and unloads every module of the lab.
//
//     here                                      there
//     the script's text                  →      read whole by `dd`, then run; standard input goes on
//     beat N, each second                →      a reader notes N; silence for SILENCE_S, or an end, cleans up
//                                        ←      @contig place /tmp/contig.…       the folder; files are copied into it
//     go                                 →      the steps run; @contig step, begin, end … as in the guest
//     stop                               →      cleans up at once
//                                        ←      @contig cleaned, and what could not be: left module x
//
// Three processes there share the work: the script itself, the reader, and a watch that looks for silence once a second.
// Whoever cleans up first takes the token away from the others, then kills them: all that belongs to a run carries its
// name in its environment, children that made themselves independent too.
import { collects, STEP_BYTES, stepWords } from './guest_init.ts'
import type { LabBoot } from './lab_schema.ts'
import { BOARD_PATH, kernelName } from './ssh_facts.ts'

const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Seconds without a beat after which the board takes the connection for lost. */
export const SILENCE_S = 10

/** What a run is called on the board: in its folder's name, in the environment of its processes, in the kernel's log. */
export interface BoardRun {
  /** Hexadecimal, that nobody can guess. */
  readonly id: string
  /** KiB that the folder needs. */
  readonly room: number
  /** Modules in the order in which they may be unloaded. */
  readonly modules: readonly string[]
  readonly silence?: number
  /** What the connection's own process there has in its environment (SshConnection.mark). */
  readonly link: string
}

const SCRIPT = `umask 077
say() { echo "@contig $*"; }
loaded() { grep -q "^$1 " /proc/modules; }
# Of this very process, a subshell too: the shell itself opens the file.
whoami_pid() { read -r me rest < /proc/self/stat; }
nap() { sleep 0.1 2> /dev/null || sleep 1; }

# A new folder for files that may be run, with room; says of each place why not.
choose() {
	for place in "\${TMPDIR:-/tmp}" /tmp /var/tmp /run /dev/shm "$HOME"; do
		case $place in /*) ;; *) continue ;; esac
		case $place in *[!A-Za-z0-9/._-]*) continue ;; esac
		dir=$place/contig.$id
		mkdir -m 700 "$dir" 2> /dev/null || {
			say no-place "$place" cannot be written
			continue
		}
		free=$(df -Pk "$dir" 2> /dev/null | sed -n '$s/.* \\([0-9][0-9]*\\)  *[0-9]*%.*/\\1/p')
		if [ -n "$free" ] && [ "$free" -lt "$room" ]; then
			say no-place "$place" has "$free" KiB free, needs "$room"
		elif ! printf '#!/bin/sh\\nexit 0\\n' 2> /dev/null > "$dir/try" || ! chmod 700 "$dir/try"; then
			say no-place "$place" cannot be written
		elif ! "$dir/try" 2> /dev/null; then
			say no-place "$place" runs no programs "(mounted noexec)"
		else
			rm -f "$dir/try"
			return 0
		fi
		rm -rf "$dir"
	done
	return 1
}

also="CONTIG_RUN=$id"
# Ends every process of this run but the one that calls; again, until a round finds none. The grep itself is none.
end_all() {
	[ "$me" = "$$" ] || kill -9 "$$" 2> /dev/null
	rounds=0 found=yes
	while [ -n "$found" ] && [ "$rounds" -lt 5 ]; do
		found= rounds=$((rounds + 1))
		for file in $(CONTIG_RUN= grep -l -e "CONTIG_RUN=$id" -e "$also" /proc/[0-9]*/environ 2> /dev/null); do
			process=\${file%/environ}
			process=\${process#/proc/}
			[ "$process" = "$me" ] && continue
			kill -9 "$process" 2> /dev/null && found=yes
		done
	done
}

clean() {
	mv "$dir/token" "$dir/taken" 2> /dev/null || return
	trap '' HUP INT TERM PIPE
	cd /
	whoami_pid
	end_all
	for module in $modules; do
		tries=0
		while loaded "$module" && [ "$tries" -lt 10 ]; do
			rmmod "$module" 2> /dev/null || nap
			tries=$((tries + 1))
		done
		loaded "$module" && say left module "$module"
	done
	rmdir "/sys/kernel/tracing/instances/contig-$id" 2> /dev/null
	while read -r mounted; do umount "$mounted"; done 2> /dev/null < "$dir/mounted"
	rm -rf "$dir"
	[ -d "$dir" ] && say left folder "$dir"
	echo "<6>contig: run $id ends" > /dev/kmsg
	say cleaned
}

watch() {
	trap '' HUP INT TERM PIPE
	last= quiet=0
	while sleep 1; [ -e "$dir/token" ]; do
		now=
		read -r now < "$dir/beat"
		if [ "$now" = "$last" ]; then quiet=$((quiet + 1)); else quiet=0; fi
		last=$now
		[ "$quiet" -lt "$silence" ] && continue
		# The server does not know yet that its connection is lost, so what it holds goes too.
		also="CONTIG_LINK=$link"
		clean
	done
}

# listen WORD: until that word comes; a stop, or an end, cleans up.
listen() {
	while read -r word rest; do
		case $word in
		beat) echo "$rest" > "$dir/beat" ;;
		stop) break ;;
		"$1") return ;;
		esac
	done
	clean
	exit
}

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
	"$@" > "$dir/out" 2>&1 < /dev/null
	give text "$name" $? "$dir/out"
}

stopped=
# step NUMBER RIGHT-EXIT VITAL COMMAND…: after a vital step that went wrong the rest makes no sense.
step() {
	number=$1 right=$2 vital=$3
	shift 3
	[ -z "$stopped" ] || return 0
	say step "$number"
	echo "<6>contig: step $number" > /dev/kmsg
	# Not every shell has pipefail.
	{
		"$@" 2>&1 < /dev/null
		echo $? > "$dir/code"
	} | head -c ${STEP_BYTES} > "$dir/out"
	read -r code < "$dir/code"
	give step "$number" "$code" "$dir/out"
	[ "$code" = "$right" ] || [ "$vital" = no ] || stopped=$number
}

to_file() { echo "$1" > "$2"; }

# Mounts a kernel file system that the board does without, until the end of the run.
need_mount() {
	[ -d "$2" ] || return 0
	grep -q " $2 $1 " /proc/mounts && return 0
	mount -t "$1" "$1" "$2" && echo "$2" >> "$dir/mounted"
}

# A connection that breaks must not end the script before it has cleaned up.
trap : HUP INT TERM PIPE
choose || { say nowhere; exit 1; }
echo 0 > "$dir/beat"
: > "$dir/token"
: > "$dir/mounted"
mkdir "$dir/modules" "$dir/programs"
watch < /dev/null > /dev/null 2>&1 &
say place "$dir"
listen go
cd "$dir"
exec 3<&0
{
	trap '' HUP INT TERM PIPE
	listen never
} <&3 &
echo "<6>contig: run $id begins" > /dev/kmsg
. "$dir/steps"
clean
say done
`

/** The script's text for one run. */
export function boardScript({ id, room, modules, link, silence = SILENCE_S }: BoardRun): string {
  const names = modules.map(kernelName).join(' ')
  return `${BOARD_PATH}\nid=${id} room=${room} silence=${silence} link=${link} modules='${names}'\n${SCRIPT}`
}

/**
 * The command that starts it. The login shell there may be any: it sees one pair of single quotes and nothing that shells
 * read differently. `dd` takes exactly the script's bytes and leaves what follows.
 */
export function boardCommand(script: string, run: BoardRun, sudo: boolean): string {
  const read = `eval "$(dd bs=1 count=${Buffer.byteLength(script)} 2> /dev/null)"`
  return `exec ${sudo ? 'sudo -n ' : ''}env CONTIG_RUN=${run.id} sh -c '${read}'`
}

// Events are recorded in an instance of our own: the board's own tracing is not touched.
const TRACE_KIB = 4096
const traceOn = (events: readonly string[]): string =>
  [
    'trace=/sys/kernel/tracing/instances/contig-$id\n',
    'mkdir "$trace"\n',
    `echo ${TRACE_KIB} > "$trace/buffer_size_kb"\n`,
    'echo 1 2> /dev/null > "$trace/options/record-tgid"\n',
    ...events.map((event) => `echo 1 > "$trace/events/${event}/enable" || missing="$missing ${event}"\n`),
  ].join('')
const TRACE_OFF = `echo 0 > "$trace/tracing_on"
text trace cat "$trace/trace"
text trace-lost sh -c "grep -h overrun $trace/per_cpu/cpu*/stats | grep -v ': 0$'; echo $missing"
`

const inFolder = (text: string, folder: string): string =>
  text.replace(/(^|[\s;|&(<>"'=])\/(programs|modules)\//g, `$1${folder}/$2/`)

/** The steps of a boot as the board carries them out: a part of the script, sourced when everything is there. */
export function boardSteps(boot: LabBoot, run: BoardRun, folder: string): string {
  const steps = (boot.steps ?? []).map((step, number) => {
    const { words, vital } = stepWords(step)
    const there = words.map((word) => shellQuoted(inFolder(word, folder)))
    return `step ${number} ${step.exit ?? 0} ${vital ? 'yes' : 'no'} ${there.join(' ')}\n`
  })
  const collected = collects(boot).map(({ name, file, shell, binary }) => {
    const command = inFolder(shell ?? `cat ${shellQuoted(file ?? '')}`, folder)
    return `text ${shellQuoted(`own-${name}`)} sh -c ${shellQuoted(binary ? `(${command}) | base64` : command)}\n`
  })
  const patterns = run.modules.map((module) => `-e '^${kernelName(module)} '`).join(' ')
  const asks = boot.trace || /\/sys\/kernel\/(debug|tracing)/.test([...steps, ...collected].join(''))
  const mounts = asks
    ? ['need_mount debugfs /sys/kernel/debug\n', 'need_mount tracefs /sys/kernel/tracing\n']
    : []
  return [
    ...mounts,
    'text iomem-before cat /proc/iomem\n',
    ...(boot.trace ? [traceOn(boot.trace)] : []),
    ...steps,
    ...(boot.trace ? [TRACE_OFF] : []),
    'text dmesg dmesg\n',
    'text iomem cat /proc/iomem\n',
    // Other modules of the board come and go as they like.
    patterns === '' ? '' : `text modules sh -c "grep ${patterns} /proc/modules; :"\n`,
    ...collected,
  ].join('')
}
