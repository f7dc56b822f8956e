import assert from 'node:assert/strict'
import { checksumFileActions, type Owner } from '#builder/files'
import { copy, type Listing, readFile, workspace } from './fixture.ts'

const PASSWD = [
  'root:x:0:0:root:/root:/bin/sh',
  'app:x:1000:1001::/home/app:/bin/sh',
  'broken:x::',
  '007:x:7:8::/:/bin/sh',
].join('\n')
const GROUP = ['root:x:0:', 'staff:x:50:app', 'users:x:100:'].join('\n')
const ROOT: Listing = ['etc/', `etc/passwd =${PASSWD}`, `etc/group =${GROUP}`]

async function ownerOf(owner: Owner, root: Listing = ROOT): Promise<string | undefined> {
  using space = workspace({ root, source: ['f =x 0644'] })
  const [line] = await space.show([copy('f', '/f', { owner })])
  return / (\d+:\d+) /.exec(line ?? '')?.[1]
}

describe('owner of copied files', () => {
  const cases: readonly (readonly [Owner, string])[] = [
    [{ user: '0' }, '0:0'],
    [{ user: 'root' }, '0:0'],
    [{ user: '55' }, '55:55'],
    [{ user: '55', group: '66' }, '55:66'],
    [{ user: 'app' }, '1000:1001'],
    [{ user: 'app', group: '' }, '1000:1001'],
    [{ user: 'app', group: '7' }, '1000:7'],
    [{ user: 'app', group: 'staff' }, '1000:50'],
    [{ user: '5', group: 'users' }, '5:100'],
    [{ user: 'app', group: 'root' }, '1000:0'],
    [{ user: '', group: 'users' }, '0:100'],
    [{ user: '007' }, '7:7'],
    [{ user: '2147483647' }, '2147483647:2147483647'],
  ]
  for (const [owner, expected] of cases) {
    it(`${owner.user}:${owner.group ?? ''} is ${expected}`, async () => {
      assert.equal(await ownerOf(owner), expected)
    })
  }

  it('fails for unknown names, and reports a suggestion', async () => {
    const failure = (message: string, hint: RegExp) => ({ code: 'NOT_FOUND', message, hint })
    await assert.rejects(
      ownerOf({ user: 'ap' }),
      failure(
        'unable to find user ap: no matching entries in passwd file',
        /^did you mean app\? Otherwise add the user in an earlier step, or give its number$/,
      ),
    )
    await assert.rejects(
      ownerOf({ user: 'app', group: 'stuff' }),
      failure(
        'unable to find group stuff: no matching entries in group file',
        /^did you mean staff/,
      ),
    )
    for (const user of ['broken', '-1', '2147483648', '1e3']) {
      await assert.rejects(ownerOf({ user }), { code: 'NOT_FOUND' })
    }
  })

  it('never takes a number for a name', async () => {
    const names = ['4294967296', '4294967295', '2147483648', '-1', '1000', '99999999999999999999']
    const lines = names.map((name) => `${name}:x:0:0::/:/bin/sh`)
    const groups = names.map((name) => `${name}:x:0:`)
    const root = ['etc/', `etc/passwd =${lines.join('\n')}`, `etc/group =${groups.join('\n')}`]
    assert.equal(await ownerOf({ user: '1000', group: '1000' }, root), '1000:1000')
    for (const name of names.filter((text) => text !== '1000')) {
      const message = /must be in range 0-2147483647/
      await assert.rejects(ownerOf({ user: name }, root), { code: 'NOT_FOUND', message })
      await assert.rejects(ownerOf({ user: '5', group: name }, root), {
        code: 'NOT_FOUND',
        message,
      })
    }
  })

  it('fails for a name when the root has no passwd file, and never reads the host', async () => {
    await assert.rejects(ownerOf({ user: 'daemon' }, []), { code: 'NOT_FOUND' })
    await assert.rejects(ownerOf({ user: 'daemon' }, ['etc -> ../../../../etc']), {
      code: 'NOT_FOUND',
    })
    await assert.rejects(ownerOf({ user: 'daemon' }, ['etc/', 'etc/passwd/']), {
      code: 'NOT_FOUND',
    })
  })

  it('follows links inside the root', async () => {
    const root = ['data/', `data/users =${PASSWD}`, 'etc/', 'etc/passwd -> /data/users']
    assert.equal(await ownerOf({ user: 'app' }, root), '1000:1001')
  })

  it('enters the cache key by the content of the files, when there is a name', () => {
    const digest = (owner: Owner, root: Listing) => {
      using space = workspace({ root, source: ['f =x'] })
      const input = {
        root: space.root,
        sources: space.sources,
        read: readFile,
      }
      return checksumFileActions([copy('f', '/f', { owner })], input).passwd
    }
    assert.equal(digest({ user: '5', group: 'root' }, ROOT), undefined)
    const named = digest({ user: 'app' }, ROOT)
    assert.match(named ?? '', /^sha256:/)
    assert.equal(digest({ user: '5', group: 'staff' }, ROOT), named)
    assert.notEqual(digest({ user: 'app' }, ['etc/', `etc/passwd =${PASSWD}`]), named)
  })
})
