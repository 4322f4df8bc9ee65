// SPDX-License-Identifier: MIT
//
// What OpenSSH's client says that a test with a server cannot bring about everywhere; test/kernel/ssh.test.ts has the rest.
import { describe, expect, it } from 'vitest'
import { sshComplaint } from '../../code/lab/ssh_trouble.ts'

const address = { host: 'board', user: 'pi', port: null }

describe('sshComplaint()', () => {
  it.for([
    [
      'ssh: connect to host board port 22: No route to host',
      'pi@board: cannot be reached (no route to host)',
    ],
    ['ssh: connect to host board port 22: Connection timed out', 'pi@board: does not answer (timed out)'],
    [
      'Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures',
      'pi@board: the board let nobody in: Too many authentication failures',
    ],
    [
      '/home/x/.ssh/config: line 3: Bad configuration option: prot',
      'the SSH configuration cannot be used: Bad configuration option',
    ],
    [
      'This account is currently not available.',
      'pi@board: no connection\n  ssh: This account is currently not available.',
    ],
    ['', 'pi@board: no connection (ssh says nothing of why)'],
  ] as const)('tells of: %s', ([said, text]) => {
    const complaint = sshComplaint(address, null, `${said}\r\n`)
    expect(complaint.message).toBe(text)
    expect(complaint.exitCode).toBe(4)
    expect(complaint.next.length).toBeGreaterThan(0)
  })

  it('takes a changed key for that, whatever else is said beside it', () => {
    const said = `@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
Offending ED25519 key in /home/x/.ssh/known_hosts:7
Host key verification failed.`
    const { message, next } = sshComplaint(address, null, said)
    expect(message).toContain('is not the one in your known hosts')
    expect(next).toContain('the old key is in /home/x/.ssh/known_hosts, line 7')
    // Nothing here tells anybody to switch the check off.
    expect(next.join()).not.toMatch(/StrictHostKeyChecking|\/dev\/null/)
  })
})
