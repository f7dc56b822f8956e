import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { PlannedMount } from '#builder/plan'
import { fuzz, orTypedLater } from '../../../support/random/index.ts'
import { execs, plan } from '../support.ts'

/** All that a mount of RUN can be, and values that other builders took too much from. */
const KEYS = [
  ...['type', 'target', 'dst', 'source', 'src', 'from', 'readonly', 'ro', 'rw', 'id', 'sharing'],
  ...['mode', 'uid', 'gid', 'size', 'required', 'env', 'z', 'Z', 'bind-propagation', 'bind'],
  ...['suid', 'dev', 'exec', 'relabel', 'consistency', 'TYPE', '', '__proto__'],
]
const VALUES = [
  ...['bind', 'cache', 'tmpfs', 'secret', 'ssh', '/a', '../../x', 'true', 'false', '1', 'shared'],
  ...['private', 'locked', '0600', '4294967296', '-1', 'suid', 'rshared', '"a,b"', '""', '=', '$x'],
]
const option = fc
  .tuple(fc.constantFrom(...KEYS), fc.option(fc.constantFrom(...VALUES), { nil: undefined }))
  .map(([key, value]) => (value === undefined ? key : `${key}=${value}`))
const mount = fc.array(option, { minLength: 1, maxLength: 6 }).map((options) => options.join(','))

/** What a planned mount has, whatever is written: no option of mount(2) is among it. */
const FIELDS: ReadonlySet<string> = new Set([
  ...['kind', 'target', 'source', 'path', 'readonly', 'owned', 'id', 'sharing', 'owner', 'size'],
  ...['env', 'required'],
])
const KINDS = ['bind', 'cache', 'tmpfs', 'secret', 'ssh']
const MAX_ID = 2 ** 31 - 1

describe('fuzz: mounts of RUN', () => {
  fuzz('F14: are of known types and lead to clean paths, or are refused', {
    name: 'mounts',
    inputs: mount,
    check: async (text) => {
      const dockerfile = `FROM base AS a\nFROM base\nRUN --mount=${text} true\n`
      const planned = await orTypedLater(['DOCKERFILE_INVALID'], () => plan(dockerfile))
      if (planned === undefined) return
      for (const { mounts } of execs(planned.plan)) mounts.forEach(checkMount)
    },
  })
})

function checkMount(mount: PlannedMount): void {
  assert.ok(KINDS.includes(mount.kind))
  assert.deepEqual(
    Object.keys(mount).filter((name) => !FIELDS.has(name)),
    [],
  )
  const paths = [mount.target, 'path' in mount ? mount.path : undefined]
  for (const path of paths) {
    if (path !== undefined) assert.match(path, /^(?!.*\/\.{0,2}(\/|$))\/|^\/$/, path)
  }
  assert.notEqual(mount.target, '/')
  const owner = 'owner' in mount ? mount.owner : undefined
  if (owner === undefined) return
  for (const id of [owner.uid, owner.gid]) assert.ok(id >= 0 && id <= MAX_ID, `${id}`)
  assert.equal(owner.mode & ~0o7777, 0)
}
