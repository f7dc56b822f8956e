import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { PendingFile } from '#builder/linux'

for (const place of ['/var/tmp', '/dev/shm']) {
  describe(`a pending file in ${place}`, () => {
    let folder: string
    const path = (name: string): string => join(folder, name)
    beforeEach(() => {
      folder = mkdtempSync(join(place, 'tsbuild-pending-'))
    })
    afterEach(() => rmSync(folder, { recursive: true }))

    it('has its name when it is complete, and replaces what had it', () => {
      writeFileSync(path('x'), 'old')
      const before = process.umask(0o27)
      try {
        using file = new PendingFile(path('x'))
        file.write(Buffer.from('new'))
        assert.equal(readFileSync(path('x'), 'utf8'), 'old')
        file.commit({ flush: true })
      } finally {
        process.umask(before)
      }
      assert.equal(readFileSync(path('x'), 'utf8'), 'new')
      assert.equal(statSync(path('x')).mode & 0o777, 0o640)
      assert.deepEqual(readdirSync(folder), ['x'])
    })

    it('leaves nothing when it is given up', () => {
      {
        using file = new PendingFile(path('x'))
        file.write(Buffer.from('new'))
      }
      assert.deepEqual(readdirSync(folder), [])
    })

    it('replaces a link, and writes nothing through it', () => {
      writeFileSync(path('victim'), 'safe')
      symlinkSync('victim', path('x'))
      using file = new PendingFile(path('x'))
      file.write(Buffer.from('new'))
      file.commit()
      assert.equal(readFileSync(path('victim'), 'utf8'), 'safe')
      assert.ok(lstatSync(path('x')).isFile())
    })

    it('is not another one of the same name', () => {
      using one = new PendingFile(path('x'))
      using other = new PendingFile(path('x'))
      one.write(Buffer.from('one'))
      other.write(Buffer.from('other'))
      one.commit()
      assert.equal(readFileSync(path('x'), 'utf8'), 'one')
      other.commit()
      assert.equal(readFileSync(path('x'), 'utf8'), 'other')
    })

    it('fails where it cannot be made', () => {
      assert.throws(() => new PendingFile(path('none/x')), { code: 'ENOENT' })
      writeFileSync(path('file'), '')
      assert.throws(() => new PendingFile(path('file/x')), { code: 'ENOTDIR' })
    })

    it('is removed with its process', () => {
      const program = `
        import { PendingFile } from ${JSON.stringify(import.meta.resolve('#builder/linux'))}
        new PendingFile(${JSON.stringify(path('x'))}).write(Buffer.from('half'))
        process.kill(process.pid, 'SIGKILL')`
      const args = ['--input-type=module', '-e', program]
      assert.equal(spawnSync(process.execPath, args).signal, 'SIGKILL')
      assert.deepEqual(readdirSync(folder), [])
      assert.ok(!existsSync(path('x')))
    })
  })
}
