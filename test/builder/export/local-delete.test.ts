import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { build } from '#builder'
import { checkDestination } from '#builder/export'
import { capture } from '../../support/peers/index.ts'

const CLI = new URL('../../../../cli/bin.js', import.meta.url).pathname

describe('outputs with mode=delete', () => {
  let folder: string
  const path = (name: string): string => join(folder, name)
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-delete-'))
    for (const name of ['context', 'out/sub/deep/deeper', 'out/old/older', 'victim']) {
      mkdirSync(path(name), { recursive: true })
    }
    for (const name of ['context/a', 'out/a', 'out/sub/a', 'out/sub/deep/b', 'out/old/older/c']) {
      writeFileSync(path(name), name)
    }
    writeFileSync(path('victim/file'), 'safe')
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/out/sub/`), Buffer.from([0xff])]), '')
    symlinkSync(path('victim'), path('out/link'))
    symlinkSync(path('victim'), path('out/sub/kept'))
    writeFileSync(path('context/Dockerfile'), 'FROM scratch\nCOPY a /sub/a\nCOPY a /sub/kept/x\n')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const make = (mode: 'copy' | 'delete', platform: readonly string[] = ['linux/amd64']) =>
    build({
      context: path('context'),
      root: path('store'),
      outputs: [{ type: 'local', dest: path('out'), mode }],
      allow: ['buildx.local.delete'],
      platform,
    })
  const files = (): readonly string[] =>
    readdirSync(path('out'), { recursive: true }).map(String).sort()

  it('leave nothing but the result, and follow no link', async () => {
    await make('copy')
    assert.ok(existsSync(path('out/old/older/c')))
    await make('delete')
    assert.deepEqual(files(), ['sub', 'sub/a', 'sub/kept', 'sub/kept/x'])
    assert.equal(readFileSync(path('victim/file'), 'utf8'), 'safe')
    assert.deepEqual(readdirSync(path('victim')), ['file'])
  })

  it('leave the folders of the platforms', async () => {
    await make('delete', ['linux/amd64', 'linux/arm64'])
    assert.deepEqual(readdirSync(path('out')), ['linux_amd64', 'linux_arm64'])
    assert.deepEqual(readdirSync(path('out/linux_arm64/sub')), ['a', 'kept'])
    writeFileSync(path('out/linux_arm64/more'), '')
    await make('delete', ['linux/amd64', 'linux/arm64'])
    assert.equal(existsSync(path('out/linux_arm64/more')), false)
  })

  it('delete nothing in what is mounted there', async () => {
    const command = `node ${CLI} --root store --progress plain -o type=local,dest=out,mode=delete context`
    const script = `mount --bind victim out/sub && ${command} && ls out/sub`
    const env = { PATH: process.env.PATH ?? '', HOME: folder }
    const args = ['-m', 'sh', '-ec', script]
    rmSync(path('out/sub/kept'))
    const { status, stdout, stderr } = await capture('unshare', args, { env, cwd: folder })
    assert.equal(status, 0, stderr)
    assert.equal(stdout, 'a\nfile\nkept\n')
    assert.deepEqual(readdirSync(path('out')), ['sub'])
  })

  it('need a right outside of the working directory', () => {
    const request = { tags: [], platforms: [], isIndex: false, allow: [] }
    const check = (dest: string, allow: readonly 'buildx.local.delete'[] = []): void =>
      checkDestination({ type: 'local', dest, mode: 'delete' }, { ...request, allow })
    symlinkSync(path('victim'), path('out/way-out'))
    const before = process.cwd()
    process.chdir(path('out'))
    try {
      for (const dest of ['sub', './sub/x/y', 'a/../sub', path('out/sub'), 'new']) check(dest)
      const up = relative(realpathSync('.'), '/')
      for (const dest of ['.', '', '..', '../out', '../victim', 'way-out', 'way-out/x', up, '/']) {
        const refused = { code: 'PERMISSION_DENIED' }
        assert.throws(() => check(dest), refused, dest)
        check(dest, ['buildx.local.delete'])
      }
    } finally {
      process.chdir(before)
    }
    const tar = { type: 'tar', dest: '/x.tar', mode: 'delete' } as const
    assert.throws(() => checkDestination(tar, request), { code: 'USAGE' })
  })
})
