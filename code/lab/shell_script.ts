// SPDX-License-Identifier: MIT
//
// Prints steps as a script for sh: `contig lab NAME --dry-run` is this, and a test feeds it to sh. What a step makes
// appears by a rename there too, and what stands already is not made again.
import type { Command, Step } from './command.ts'

// What a cold dry run cannot know yet stands in its paths as a shell variable.
const VARIABLE = /\$\{contig_[a-z_0-9]+\}/

// Where sh fills variables in, everything else that it would read as its own is escaped.
const escaped = (text: string): string => text.replace(/[\\`]|\$(?!\{contig_)/g, '\\$&')

/** One word as sh reads it back. */
export function shellWord(word: string): string {
  if (VARIABLE.test(word)) return `"${escaped(word).replaceAll('"', '\\"')}"`
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

const words = (argv: readonly string[]): string => argv.map(shellWord).join(' ')

// A text's end mark must be no line of the text.
function hereDocument(text: string): string {
  let mark = 'END'
  while (text.split('\n').includes(mark)) mark += '_'
  const fills = VARIABLE.test(text)
  const body = text === '' || text.endsWith('\n') ? text : `${text}\n`
  return `<<${fills ? mark : `'${mark}'`}\n${fills ? escaped(body) : body}${mark}`
}

/** A command as one line of sh, or several for a file's text. */
export function shellCommand(command: Command): string {
  switch (command.do) {
    case 'write': {
      const write = `cat > ${shellWord(command.path)} ${hereDocument(command.text)}`
      return command.executable ? `${write}\nchmod +x ${shellWord(command.path)}` : write
    }
    case 'copy':
      return words(['cp', '-R', command.from, command.to])
    case 'mkdir':
      return words(['mkdir', '-p', command.path])
    case 'remove':
      return words(['rm', '-rf', command.path])
    case 'ask':
      return [
        `${command.variable}=$(${command.pipeline.map(words).join(' | ')})`,
        `: "\${${command.variable}:?Debian did not say}"`,
      ].join('\n')
    case 'exec': {
      let line = words(command.argv)
      if (command.stdin) line += ` < ${shellWord(command.stdin)}`
      if (command.into) line += ` | ${words(command.into)}`
      if (command.stdout) line += ` > ${shellWord(command.stdout)}`
      return command.cwd ? `(cd ${shellWord(command.cwd)} && ${line})` : line
    }
  }
}

// Folders made one after the other are one line.
function joinFolders(commands: readonly Command[]): string[] {
  const lines: string[] = []
  let folders: string[] = []
  const flush = (): void => {
    if (folders.length > 0) lines.push(words(['mkdir', '-p', ...folders]))
    folders = []
  }
  for (const command of commands) {
    if (command.do === 'mkdir') {
      folders.push(command.path)
      continue
    }
    flush()
    lines.push(shellCommand(command))
  }
  flush()
  return lines
}

/** The whole plan. `made` says which of the things to make stand already. */
export function shellScript(title: string, steps: readonly Step[], made: (path: string) => boolean): string {
  const lines = [
    `# ${title}`,
    '# Paste it into a shell, or feed it to sh: nothing of this has been done yet. It ends at the first failure.',
    '(',
    'set -eu',
  ]
  for (const step of steps) {
    const { makes } = step
    const commands = joinFolders(step.commands)
    lines.push('')
    if (!makes) {
      lines.push(`# ${step.title}`, ...commands)
      continue
    }
    lines.push(
      `# ${step.title}${made(makes.final) ? ' (in the cache already)' : ''}`,
      `if ! [ -e ${shellWord(makes.final)} ]; then`,
      words(['rm', '-rf', makes.part]),
      words(['mkdir', '-p', makes.part]),
      ...commands,
      words(['mv', '-T', makes.part, makes.final]),
      'fi',
    )
  }
  return `${lines.join('\n')}\n)\n`
}
