import assert from 'node:assert/strict'
import fc from 'fast-check'
import { etcFiles } from '../../../../builder/sandbox/root/etc-files.ts'
import { resolveUser } from '../../../../builder/sandbox/root/step-user.ts'
import { fuzz, orTyped, textHavoc } from '../../../support/random/index.ts'

const PASSWD = ['root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:An App:/home/app:/bin/sh\n']
const GROUP = ['root:x:0:\napp:x:1000:root\naudio:x:29:app,root\n']
const USERS = ['app', '1000', 'app:audio', '1000:29', '0', 'root:app', '4294967296', '-1', '+0']
const RESOLV = ['nameserver 127.0.0.53\noptions edns0\nsearch a.test\nnameserver 10.0.0.1\n']
const MAX_ID = 2 ** 31 - 1

const inputs = fc.record({
  user: textHavoc(USERS),
  passwd: textHavoc(PASSWD),
  group: textHavoc(GROUP),
  resolvConf: textHavoc(RESOLV),
})

describe('fuzz: files of accounts and names', () => {
  fuzz('F16: give ids that are in range, and root to nobody else', {
    name: 'accounts',
    inputs,
    check: ({ user, passwd, group, resolvConf }) => {
      const files: Readonly<Record<string, string>> = { '/etc/passwd': passwd, '/etc/group': group }
      const found = orTyped(['STEP_FAILED'], () => resolveUser(user, (path) => files[path]))
      if (found !== undefined) {
        const ids = [found.uid, found.gid, ...found.groups]
        assert.ok(ids.every((id) => Number.isInteger(id) && id >= 0 && id <= MAX_ID))
        if (found.uid === 0) assert.ok(meansRoot(user, passwd), user)
      }
      checkResolver(resolvConf)
    },
  })
})

/** Whether a user is root by its number, by being none, or because the image says so of the name. */
function meansRoot(user: string, passwd: string): boolean {
  const name = user.split(':')[0] ?? ''
  if (/^-?\d+$/.test(name)) return Number(name) === 0
  // Without a line of its own, too: images of a single program have no accounts.
  if (name === '' || name === 'root') return true
  return passwd.split('\n').some((line) => line.trim().startsWith(`${name}:`))
}

/** A step with a network of its own asks no server on the loopback of the host. */
function checkResolver(resolvConf: string): void {
  const given = { hostname: 'h', extraHosts: [], gateway: '10.0.2.2', resolvConf }
  const text = etcFiles({ ...given, ownServers: ['10.0.2.3'] }).resolvConf
  for (const line of text.split('\n')) {
    assert.doesNotMatch(line, /^nameserver[ \t]+(127(\.\d+){3}|::1)\s*$/)
  }
}
