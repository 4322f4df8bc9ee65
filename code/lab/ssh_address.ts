// SPDX-License-Identifier: MIT
//
// Where a real board is: `ssh:` and what OpenSSH's client would be given. A bare host may be a name of the user's own
// SSH configuration, so nothing is filled in here: no user, no port.
//
//     ssh:root@192.168.1.20      ssh:pi@board.local:2222      ssh:myboard      ssh:root@[fe80::1%eth0]:22
import { Complaint } from '../lib/complaint.ts'

export interface SshAddress {
  /** A host name, an IP address without brackets, or a name of ~/.ssh/config. */
  readonly host: string
  /** Null: what the SSH configuration says. */
  readonly user: string | null
  /** Null: what the SSH configuration says. */
  readonly port: number | null
}

const SHAPE = /^ssh:(?:\/\/)?(?:([^@]*)@)?(?:\[([^\]]*)\]|([^:[\]@/]*))(?::([^:/]*))?\/?$/

// What ssh would take for an option, and what no name of a host or user has.
const NAME = /^(?!-)[^\s\p{Cc}'"`$;&|<>(){}\\!*?#~]+$/u

const bad = (text: string, why: string): Complaint =>
  new Complaint({
    text: `--on ${text}: ${why}; expected ssh:[user@]host[:port]`,
    exitCode: 2,
    next: ['for example: --on ssh:root@192.168.1.20, or --on ssh:NAME for a Host of your ~/.ssh/config'],
  })

/** Whether a board's word says SSH at all. */
export const isSshAddress = (text: string): boolean => text.startsWith('ssh:')

/** The address in `ssh:[user@]host[:port]`. @throws Complaint (2) saying which part is wrong */
export function parseSshAddress(text: string): SshAddress {
  const match = SHAPE.exec(text)
  if (!match) {
    const colons = text.replace(/^ssh:/, '').split(':').length > 2
    throw bad(text, colons ? 'an IPv6 address goes into brackets' : 'this is no address of a board')
  }
  const [, user, bracketed, plain, portText] = match
  const host = bracketed ?? plain ?? ''
  if (host === '') throw bad(text, 'it names no host')
  if (!NAME.test(host)) throw bad(text, `“${host}” is no name of a host`)
  if (user !== undefined && !NAME.test(user)) throw bad(text, `“${user}” is no name of a user`)
  const port = portText === undefined ? null : Number(portText)
  if (port !== null && (!/^\d+$/.test(portText ?? '') || port < 1 || port > 65535))
    throw bad(text, `“${portText}” is no port (1 to 65535)`)
  return { host, user: user ?? null, port }
}

/** The words by which OpenSSH's client is told an address; the host comes last. */
export function addressWords({ host, user, port }: SshAddress): string[] {
  return [...(user === null ? [] : ['-l', user]), ...(port === null ? [] : ['-p', String(port)]), '--', host]
}

/** The command that a person would type. */
export function sshByHand({ host, user, port }: SshAddress, config: string | null = null): string {
  const where = user === null ? host : `${user}@${host}`
  return [
    'ssh',
    ...(config ? ['-F', config] : []),
    ...(port === null ? [] : ['-p', String(port)]),
    where,
  ].join(' ')
}

/** The address for messages: `root@host`, with a port when one was given. */
export function addressText({ host, user, port }: SshAddress): string {
  const name = host.includes(':') ? `[${host}]` : host
  return `${user === null ? '' : `${user}@`}${name}${port === null ? '' : `:${port}`}`
}
