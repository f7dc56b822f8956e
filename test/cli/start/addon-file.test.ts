import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { writeAddon } from '../../../cli/start/addon-file.ts'
import { capture, type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'

const ADDON = { name: 'koffi.node', bytes: Buffer.from('native code') }
const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url))
const MODULE = new URL('../../../cli/start/addon-file.js', import.meta.url).href

/** Prints the file of an addon, or why there is none. */
const SCRIPT = `
const { default: fs, readlinkSync } = await import('node:fs')
const { openSync } = fs
if (process.env.WITHOUT_TMPFILE === '1') fs.openSync = (path, flags, mode) => {
  if ((flags & 0o20000000) === 0) return openSync(path, flags, mode)
  throw Object.assign(new Error(), { code: 'EOPNOTSUPP' })
}
const { syncBuiltinESMExports } = await import('node:module')
syncBuiltinESMExports()
const { writeAddon } = await import('${MODULE}')
try {
  console.log(readlinkSync(writeAddon({ name: 'x', bytes: Buffer.from('x') }, process.env)))
} catch ({ code, message }) {
  console.log(code, message)
}
`

describe('the file of a native library', () => {
  let directory: TemporaryDirectory
  beforeEach(() => {
    directory = temporaryDirectory('addon')
  })
  afterEach(() => directory[Symbol.dispose]())

  it('has what it needs, no name, and no right for others', () => {
    const path = writeAddon(ADDON, { TMPDIR: directory.path })
    assert.deepEqual(readFileSync(path), ADDON.bytes)
    const { nlink, mode, uid } = statSync(path)
    assert.deepEqual([nlink, mode & 0o777, uid], [0, 0o700, process.geteuid?.()])
    assert.match(readlinkSync(path), /^\/.*\/#\d+ \(deleted\)$/)
    assert.deepEqual(readdirSync(directory.path), [])
  })

  it('is another one each time, so that nobody finds it before it is there', () => {
    const [one, other] = [writeAddon(ADDON, {}), writeAddon(ADDON, {})]
    writeFileSync(one, 'replaced')
    assert.deepEqual(readFileSync(other), ADDON.bytes)
  })

  /** Mounts all usual folders so that nothing in them may be executed, but for `allowed`. */
  async function written(allowed: string): Promise<string> {
    const mounts = ['/dev/shm', '/tmp', '/var/tmp']
      .filter((folder) => folder !== allowed)
      .map((folder) => `mount -t tmpfs -o noexec none ${folder}`)
    // The repository may lie in one of them.
    const script = `mount --bind ${REPOSITORY} /mnt && ${mounts.join(' && ')} &&
      mkdir -p ${REPOSITORY} && mount --bind /mnt ${REPOSITORY} && exec "$0" "$@"`
    const node = [process.execPath, '--input-type=module', '-e', SCRIPT]
    const env = { TMPDIR: '/none', HOME: '/proc' }
    const { stdout, stderr } = await capture('unshare', ['-m', 'sh', '-c', script, ...node], {
      env,
    })
    return stdout + stderr
  }

  it('has a name for a moment where files need one', async () => {
    const args = ['--input-type=module', '-e', SCRIPT]
    const env = { WITHOUT_TMPFILE: '1' }
    const { stdout, stderr } = await capture(process.execPath, args, { env })
    assert.match(stdout, /^\/.*\/\.tsbuild-\d+-\w+-x \(deleted\)$/m, stderr)
  })

  it('is where code may be executed', async function () {
    if (process.geteuid?.() !== 0) this.skip()
    assert.match(await written('/dev/shm'), /^\/dev\/shm\//)
    assert.match(await written('/var/tmp'), /^\/var\/tmp\//)
    assert.match(
      await written('none'),
      /^EACCES no file may be written and executed in \/dev\/shm, \/none, .*\/proc$/m,
    )
  })
})
