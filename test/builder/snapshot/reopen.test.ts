import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import type { SnapshotterKind } from '#core'
import { SnapshotFixture } from '../../suites/snapshot/fixture.ts'

/** Those of which what is written can stay. */
const KINDS: readonly SnapshotterKind[] = ['overlay', 'fuse-overlayfs', 'copies']

for (const kind of KINDS) {
  describe(`snapshots that are reopened: ${kind}`, () => {
    let fixture: SnapshotFixture
    before(() => {
      fixture = new SnapshotFixture(kind)
    })
    after(() => fixture.close())

    /** Runs a script in what is kept at a directory, by snapshots that know nothing of it. */
    const runIn = (directory: string, script: string): Promise<string> =>
      fixture.snapshots.use(async (snapshotter) => {
        await using snapshot = await snapshotter.reopen(directory, [fixture.image])
        return await fixture.run(script, [snapshot.root])
      })

    it('have what was written before, also to another instance of the program', async () => {
      const directory = fixture.path()
      await runIn(directory, 'echo one > /a; mkdir /d; rm /bin/tail')
      assert.equal(await runIn(directory, 'cat /a; ls -d /d; echo two > /d/b'), 'one\n/d\n')
      const again = new SnapshotFixture(kind)
      try {
        const seen = await again.snapshots.use(async (snapshotter) => {
          await using snapshot = await snapshotter.reopen(directory, [fixture.image])
          return await again.run('cat /a /d/b; ls /bin/tail 2>&1', [snapshot.root]).catch(String)
        })
        assert.match(seen, /one\ntwo\n[\s\S]*tail: No such file/)
      } finally {
        await again.close()
      }
    })

    it('say what was changed in all', async () => {
      const directory = fixture.path()
      for (const name of ['a', 'b']) await runIn(directory, `echo ${name} > /${name}`)
      await runIn(directory, 'rm /a; rm /bin/wc')
      const changes = await fixture.snapshots.use(async (snapshotter) => {
        await using snapshot = await snapshotter.reopen(directory, [fixture.image])
        return await snapshot.changes()
      })
      const packed = fixture.packed(changes, [fixture.image]).join('\n')
      assert.match(packed, /^b file/m)
      assert.match(packed, /^bin\/wc whiteout$/m)
      assert.doesNotMatch(packed, /^a |bin\/sh/m)
    })

    it('are made where the process was killed before they were complete', async () => {
      const directory = fixture.path()
      mkdirSync(`${directory}/making/upper`, { recursive: true })
      mkdirSync(`${directory}/work/work/left`, { recursive: true })
      if (kind === 'copies') {
        mkdirSync(`${directory}/root/half`, { recursive: true })
        writeFileSync(`${directory}/root/half/file`, 'x')
      }
      const script = 'cat /bin/sh | wc -c > /size; ls -d /half 2>&1; echo made'
      assert.match(await runIn(directory, script), /No such file or directory\nmade\n$/)
      const size = Number(await runIn(directory, 'cat /size'))
      assert.equal(size, statSync(`${fixture.image}/bin/sh`).size)
    })

    it('are not those of another kind', async () => {
      const directory = fixture.path()
      mkdirSync(`${directory}/${kind === 'copies' ? 'upper' : 'root'}`, { recursive: true })
      await assert.rejects(runIn(directory, 'true'), { code: 'SNAPSHOT_UNAVAILABLE' })
      assert.equal(readdirSync(directory).length, 1)
    })
  })
}

describe('snapshots that are reopened', () => {
  it('sync what programs sync, and leave no trace that they do not', async () => {
    const fixture = new SnapshotFixture('overlay')
    try {
      const directory = fixture.path()
      await fixture.snapshots.use(async (snapshotter) => {
        await using snapshot = await snapshotter.reopen(directory, [fixture.image])
        const mounts = await fixture.run('cat /proc/mounts', [snapshot.root])
        assert.match(mounts, /^\S+ \/ overlay /m)
        assert.doesNotMatch(mounts, /volatile/)
        assert.ok(!existsSync(`${directory}/work/work/incompat`))
      })
    } finally {
      await fixture.close()
    }
  })

  it('are of no kind that writes to memory', async () => {
    const fixture = new SnapshotFixture('overlay-tmpfs')
    try {
      const reopened = fixture.snapshots.use((snapshotter) =>
        snapshotter.reopen(fixture.path(), [fixture.image]),
      )
      await assert.rejects(reopened, { code: 'SNAPSHOT_UNAVAILABLE' })
    } finally {
      await fixture.close()
    }
  })
})
