// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { addressText, addressWords, parseSshAddress, sshByHand } from '../../code/lab/ssh_address.ts'
import { Complaint } from '../../code/lib/complaint.ts'

const at = (host: string, user: string | null, port: number | null) => ({ host, user, port })

function complaint(text: string): Complaint {
  try {
    parseSshAddress(text)
  } catch (error) {
    if (error instanceof Complaint) return error
    throw error
  }
  throw new Error(`${text} was taken`)
}

describe('parseSshAddress()', () => {
  it.for([
    ['ssh:board', at('board', null, null)],
    ['ssh:root@192.168.1.20', at('192.168.1.20', 'root', null)],
    ['ssh:pi@board.local:2222', at('board.local', 'pi', 2222)],
    ['ssh://pi@board.local:2222', at('board.local', 'pi', 2222)],
    ['ssh:root@[fe80::1%eth0]:22', at('fe80::1%eth0', 'root', 22)],
    ['ssh:[::1]', at('::1', null, null)],
    ['ssh:a-maker@my-board-2.local', at('my-board-2.local', 'a-maker', null)],
  ] as const)('reads %s', ([text, address]) => {
    expect(parseSshAddress(text)).toEqual(address)
  })

  it.for([
    ['ssh:', 'it names no host'],
    ['ssh:root@', 'it names no host'],
    ['ssh:root@fe80::1', 'an IPv6 address goes into brackets'],
    ['ssh:board:0', '“0” is no port (1 to 65535)'],
    ['ssh:board:65536', '“65536” is no port (1 to 65535)'],
    ['ssh:board:ssh', '“ssh” is no port (1 to 65535)'],
    ['ssh:board:', '“” is no port (1 to 65535)'],
    // What ssh would take for an option, or a shell for a command.
    ['ssh:-oProxyCommand=x', '“-oProxyCommand=x” is no name of a host'],
    ['ssh:-lroot@board', '“-lroot” is no name of a user'],
    ['ssh:root@bo ard', '“bo ard” is no name of a host'],
    ['ssh:root@$(id)', '“$(id)” is no name of a host'],
    ['ssh:a@b@c', 'this is no address of a board'],
  ] as const)('refuses %s', ([text, why]) => {
    const { message, exitCode, next } = complaint(text)
    expect(message).toBe(`--on ${text}: ${why}; expected ssh:[user@]host[:port]`)
    expect(exitCode).toBe(2)
    expect(next[0]).toContain('--on ssh:root@192.168.1.20')
  })
})

describe('addressWords()', () => {
  it('puts the host behind the end of options', () => {
    expect(addressWords(at('board', 'pi', 22))).toEqual(['-l', 'pi', '-p', '22', '--', 'board'])
    expect(addressWords(at('board', null, null))).toEqual(['--', 'board'])
  })
})

describe('sshByHand() and addressText()', () => {
  it('spell what a person would type and read', () => {
    expect(sshByHand(at('board', 'pi', 2222), '/c')).toBe('ssh -F /c -p 2222 pi@board')
    expect(sshByHand(at('board', null, null))).toBe('ssh board')
    expect(addressText(at('::1', 'root', 22))).toBe('root@[::1]:22')
  })
})
