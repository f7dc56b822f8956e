import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { makeNode } from '#builder/linux'
import {
  needsMachineRoot,
  type OpenSandbox,
  SandboxFixture,
  type SandboxTraits,
} from './fixture.ts'

/** Which user a process runs as. */
export function usersSuite(open: OpenSandbox, { bearsAnyRoot }: SandboxTraits): void {
  describe('the user', () => {
    let fixture: SandboxFixture
    before(() => {
      fixture = new SandboxFixture(open)
    })
    after(() => fixture.close())

    const identity = 'id -u; id -g; grep Groups /proc/self/status; echo $HOME'

    const known: readonly (readonly [string, string])[] = [
      ['', '0\n0\nGroups:\t0 2000 \n/root\n'],
      ['root', '0\n0\nGroups:\t0 2000 \n/root\n'],
      ['0', '0\n0\nGroups:\t0 2000 \n/root\n'],
      ['app', '1000\n1001\nGroups:\t1001 2000 2001 \n/home/app\n'],
      ['1000', '1000\n1001\nGroups:\t1001 2000 2001 \n/home/app\n'],
      ['app:extra', '1000\n2000\nGroups:\t2000 \n/home/app\n'],
      ['app:77', '1000\n77\nGroups:\t77 \n/home/app\n'],
      ['1000:1000', '1000\n1000\nGroups:\t1000 \n/home/app\n'],
      ['65534', '65534\n0\nGroups:\t0 \n/\n'],
      ['2147483647:2147483647', '2147483647\n2147483647\nGroups:\t2147483647 \n/\n'],
    ]
    for (const [user, expected] of known) {
      it(`runs as USER ${JSON.stringify(user)}`, async function () {
        if (user.startsWith('2147483647')) needsMachineRoot(this)
        assert.equal(await fixture.sh(identity, { user }), expected)
      })
    }

    const refused = [
      '-1',
      '4294967295',
      '4294967296',
      '2147483648:0',
      '0:4294967295',
      '99999999999',
    ]
    for (const user of refused) {
      it(`refuses USER ${user}`, async () => {
        await assert.rejects(fixture.run(['id'], { user }), {
          code: 'STEP_FAILED',
          message: /uids and gids must be in range 0-2147483647/,
        })
      })
    }

    for (const user of ['1e3', '0x0', '+0', ' 0', '٠', 'nobody', 'high', 'APP', '0 ']) {
      it(`refuses USER ${JSON.stringify(user)}, which the image lacks`, async () => {
        await assert.rejects(fixture.run(['id'], { user }), {
          code: 'STEP_FAILED',
          message: `unable to find user ${user}: no matching entries in passwd file`,
        })
      })
    }

    it('refuses a group that the image lacks', async () => {
      await assert.rejects(fixture.run(['id'], { user: 'app:wheel' }), {
        code: 'STEP_FAILED',
        message: 'unable to find group wheel: no matching entries in group file',
      })
    })

    it('never takes a number for a name', async () => {
      const layer = fixture.layer()
      mkdirSync(`${layer}/etc`)
      writeFileSync(`${layer}/etc/passwd`, '4294967296:x:0:0::/:/bin/sh\n1000:x:0:0::/:/bin/sh\n')
      assert.equal(await fixture.sh('id -u', { layer, user: '1000' }), '1000\n')
      await assert.rejects(fixture.run(['id'], { layer, user: '4294967296' }), /must be in range/)
    })

    it('applies negative group permissions', async () => {
      const layer = fixture.layer()
      spawnSync('sh', [
        '-c',
        `echo no > ${layer}/f && chown 0:2001 ${layer}/f && chmod 604 ${layer}/f`,
      ])
      const result = await fixture.run(['cat', '/f'], { layer, user: 'app' })
      assert.equal(result.exitCode, 1)
      assert.match(result.stderr, /Permission denied/)
    })

    describe('with a hostile passwd file', () => {
      const hostile: readonly (readonly [string, (path: string) => void])[] = [
        ['a sparse file of 50 GiB', (path) => sparse(path)],
        ['a fifo', (path) => makeNode(path, 'fifo', { mode: 0o644 })],
        ['a device', (path) => makeNode(path, 'character', { mode: 0o644, major: 1, minor: 5 })],
        ['a directory', (path) => mkdirSync(path)],
        ['a link to itself', (path) => symlinkSync('passwd', path)],
      ]
      for (const [what, make] of hostile) {
        const others = bearsAnyRoot ? 'but runs as root or by numbers' : 'for every user'
        it(`refuses ${what} ${others}`, async function () {
          if (what === 'a device') needsMachineRoot(this)
          const layer = fixture.layer()
          mkdirSync(`${layer}/etc`)
          make(`${layer}/etc/passwd`)
          await assert.rejects(fixture.run(['id'], { layer, user: 'app' }), { code: 'STEP_FAILED' })
          // Not id, which reads the file itself.
          const uid = (user: string): Promise<string> =>
            fixture.sh('grep Uid /proc/self/status', { layer, user })
          if (bearsAnyRoot) {
            assert.match(await uid(''), /^Uid:\t0\t0\t0\t0\n$/)
            assert.match(await uid('5:5'), /^Uid:\t5\t5\t5\t5\n$/)
          } else {
            for (const user of ['', '5:5']) await assert.rejects(uid(user), { code: 'STEP_FAILED' })
          }
          rmSync(layer, { recursive: true })
        })
      }

      it('follows a link only within the root', async () => {
        const canary = `${fixture.layer()}/passwd`
        writeFileSync(canary, 'outside:x:7:7::/:/bin/sh\n')
        const layer = fixture.layer()
        mkdirSync(`${layer}/etc`)
        symlinkSync(canary, `${layer}/etc/passwd`)
        await assert.rejects(fixture.run(['id'], { layer, user: 'outside' }), /unable to find user/)
        mkdirSync(`${layer}/db`)
        writeFileSync(`${layer}/db/users`, 'inside:x:8:8::/:/bin/sh\n')
        rmSync(`${layer}/etc/passwd`)
        symlinkSync('../../../../db/users', `${layer}/etc/passwd`)
        assert.equal(await fixture.sh('id -u', { layer, user: 'inside' }), '8\n')
      })
    })
  })
}

function sparse(path: string): void {
  writeFileSync(path, '')
  truncateSync(path, 50 * 2 ** 30)
}
