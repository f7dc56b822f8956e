import assert from 'node:assert/strict'
import { formatPlatform } from '#core'
import { files, historyOf, plan } from '../support.ts'

const WINDOWS = { platform: 'windows/amd64' } as const
/** Backslashes mean nothing to such a file. */
const windows = (...lines: readonly string[]): string =>
  ['# escape=`', 'FROM scratch', ...lines].join('\n')

describe('plan: other systems', () => {
  it('have a PATH and a working directory, but for Windows, which has its own', async () => {
    for (const system of ['darwin/arm64', 'freebsd/amd64', 'foo/bar']) {
      const { image } = (await plan('FROM scratch\nLABEL a=b', { platform: system })).plan
      assert.equal(image.config.WorkingDir, '/')
      assert.equal(image.config.Env?.length, 1)
      assert.equal(formatPlatform(image.platform), system)
    }
    const { image } = (await plan('FROM scratch\nLABEL a=b', WINDOWS)).plan
    assert.deepEqual(image.config, { WorkingDir: '\\', Labels: { a: 'b' } })
  })

  it('tell their version', async () => {
    const text = 'FROM scratch\nARG TARGETPLATFORM TARGETOSVERSION BUILDOSVERSION\n'
    const request = { platform: 'windows(10.0.20348.1+win32k)/amd64' }
    const { plan: planned } = await plan(
      `${text}ENV v=$TARGETOSVERSION b=$BUILDOSVERSION-`,
      request,
    )
    assert.deepEqual(planned.image.config.Env, ['v=10.0.20348.1', 'b=-'])
    const declared = 'windows(10.0.20348.1+win32k)/amd64 TARGETOSVERSION=10.0.20348.1'
    assert.equal(historyOf(planned)[0], `ARG TARGETPLATFORM=${declared} BUILDOSVERSION=`)
    assert.equal(planned.image.platform['os.version'], '10.0.20348.1')
  })

  const directories: readonly (readonly [lines: string[], config: string, made: string[]])[] = [
    [['WORKDIR /app', 'WORKDIR sub'], '\\app\\sub', ['/app', '/app/sub']],
    [['WORKDIR C:\\x\\y\\'], '\\x\\y', ['/x/y']],
    [['WORKDIR c:/a/../b', 'WORKDIR ..\\d'], '\\d', ['/b', '/d']],
    [['WORKDIR C:x'], '\\x', ['/x']],
    [['WORKDIR \\'], '\\', []],
  ]
  for (const [lines, config, made] of directories) {
    it(`${lines.join(', ')} is ${config}`, async () => {
      const { plan: planned } = await plan(windows(...lines), WINDOWS)
      assert.equal(planned.image.config.WorkingDir, config)
      const actions = files(planned).flatMap((vertex) => vertex.actions)
      assert.deepEqual(
        actions.map((action) => action.kind === 'mkdir' && action.path),
        made,
      )
      assert.equal(historyOf(planned).at(-1), `WORKDIR ${made.at(-1) ?? '/'}`)
    })
  }

  it('copy from and to paths with their separators', async () => {
    const lines = ['WORKDIR C:\\w', 'COPY a\\b c:/d/ C:\\to\\', 'COPY f g\\h']
    const { plan: planned } = await plan(windows(...lines), WINDOWS)
    const copies = files(planned).flatMap(({ actions }) =>
      actions.flatMap((action) =>
        action.kind === 'copy' ? [[...action.paths, action.destination]] : [],
      ),
    )
    assert.deepEqual(copies, [
      ['a/b', '/d/', '/to/'],
      ['f', '/w/g/h'],
    ])
    assert.equal(historyOf(planned)[1], 'COPY a\\b c:/d/ C:\\to\\ # buildkit')
  })

  it('have a shell of their own', async () => {
    const { image } = (await plan(windows('CMD dir'), WINDOWS)).plan
    assert.deepEqual(image.config.Cmd, ['cmd', '/S', '/C', 'dir'])
  })

  for (const path of ['D:\\x', 'C:', '\\\\server\\x', 'ab:c']) {
    for (const line of [`WORKDIR ${path}`, `COPY f ${path}`, `COPY ${path} /`]) {
      it(`have no place for ${line}`, async () => {
        await assert.rejects(plan(windows(line), WINDOWS), { code: 'DOCKERFILE_INVALID' })
      })
    }
  }

  it('take nothing into layers on a base of Windows, which have another form', async () => {
    const images = { base: { WorkingDir: 'C:\\app', Env: ['PATH=c:\\windows'] } }
    const request = { ...WINDOWS, images }
    const { image } = (await plan('FROM base\nWORKDIR /\nENV a=b', request)).plan
    assert.deepEqual(image.config.Env, ['PATH=c:\\windows', 'a=b'])
    assert.equal((await plan('FROM base', request)).plan.image.config.WorkingDir, '\\app')
    for (const line of ['COPY f /', 'WORKDIR x', 'ADD f /']) {
      await assert.rejects(plan(`FROM base\n${line}`, request), { code: 'UNSUPPORTED' })
    }
  })
})
