// SPDX-License-Identifier: MIT
//
// What OpenSSH's client says when it cannot connect, told again with what to do about it.
import { Complaint } from '../lib/complaint.ts'
import { type SshAddress, addressText, sshByHand } from './ssh_address.ts'

interface Trouble {
  readonly pattern: RegExp
  readonly text: (where: string, match: RegExpExecArray) => string
  readonly next: (byHand: string, address: SshAddress, said: string) => string[]
}

const sshdRuns = 'is the board on, and does its SSH server run? is that its port?'

const keygenHost = ({ host, port }: SshAddress): string =>
  port === null || port === 22 ? host : `'[${host}]:${port}'`

// The first that fits is told, so the particular ones come before the general.
const TROUBLES: readonly Trouble[] = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    text: (where) =>
      `${where}: its host key is not the one in your known hosts: this is another board, a board set up anew, or somebody in between`,
    next: (byHand, address, said) => {
      const known = /Offending \S+ key in (\S+):(\d+)/.exec(said)
      const file = known ? ` -f ${known[1]}` : ''
      return [
        ...(known ? [`the old key is in ${known[1]}, line ${known[2]}`] : []),
        'compare fingerprints first, on the board’s own console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub',
        `only if they agree: ssh-keygen${file} -R ${keygenHost(address)}, then once by hand: ${byHand}`,
      ]
    },
  },
  {
    pattern: /Host key verification failed/,
    text: (where) => `${where}: its host key is not in your known hosts, and nobody is asked here`,
    next: (byHand) => [
      `connect once by hand, compare the fingerprint with the board’s, and answer yes: ${byHand}`,
      'the board tells its own on its console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub',
    ],
  },
  {
    pattern:
      /Permission denied( \([^)]*\))?|Too many authentication failures|No supported authentication methods/,
    text: (where, match) => `${where}: the board let nobody in: ${match[0]}`,
    next: (byHand) => [
      `this has to work without a question: ${byHand} true`,
      'a key with a passphrase goes into the agent (ssh-add); for a board that knows passwords only: ssh-copy-id',
    ],
  },
  {
    pattern: /Could not resolve hostname (\S+?):? /,
    text: (where) => `${where}: there is no host of this name`,
    next: () => ['check the name; a board without a name has an address: --on ssh:root@192.168.1.20'],
  },
  {
    pattern: /Connection refused/,
    text: (where) => `${where}: nothing listens there (connection refused)`,
    next: () => [sshdRuns],
  },
  {
    pattern: /No route to host|Network is unreachable|Host is down/,
    text: (where, match) => `${where}: cannot be reached (${match[0].toLowerCase()})`,
    next: () => ['is the board on, and on this network?'],
  },
  {
    pattern: /[Tt]imed out|timed out in silence/,
    text: (where) => `${where}: does not answer (timed out)`,
    next: () => [sshdRuns],
  },
  {
    pattern: /Connection (closed|reset) by|Connection closed|banner exchange|kex_exchange_identification/,
    text: (where) =>
      `${where}: closed the connection before anybody was let in; something that is no SSH server?`,
    next: (byHand) => [sshdRuns, `${byHand} -v true says more`],
  },
  {
    pattern:
      /Bad configuration option|terminating, \d+ bad configuration|Bad owner or permissions|Can't open user config/,
    text: (_, match) => `the SSH configuration cannot be used: ${match[0]}`,
    next: (byHand) => [`${byHand} true says the same`],
  },
]

// Banners and warnings of other sorts are no reason.
const NOISE = /^(Warning: Permanently added|debug\d|@+$|\s*$)/

/** The complaint (4) about a connection that did not come about. `said` is what ssh printed. */
export function sshComplaint(address: SshAddress, config: string | null, said: string): Complaint {
  const where = addressText(address)
  const byHand = sshByHand(address, config)
  const lines = said.split('\n').map((line) => line.trim())
  const shown = lines.filter((line) => !NOISE.test(line)).slice(-3)
  for (const { pattern, text, next } of TROUBLES) {
    const match = pattern.exec(said)
    if (!match) continue
    return new Complaint({ text: text(where, match), exitCode: 4, next: next(byHand, address, said) })
  }
  const why =
    shown.length > 0 ? shown.map((line) => `\n  ssh: ${line}`).join('') : ' (ssh says nothing of why)'
  return new Complaint({
    text: `${where}: no connection${why}`,
    exitCode: 4,
    next: [`try it by hand: ${byHand} true`],
  })
}
