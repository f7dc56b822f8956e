import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createWriteStream, mkdirSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import type { BuildOptions } from '#builder'
import { build } from '#builder'
import { outputOf, putShell, SHELL_BASE } from '../support/shell-base.ts'
import { Workplace } from '../support/workplace.ts'

describe('build: files that the user names', () => {
  let at: Workplace
  before(async () => {
    at = await Workplace.open()
    putShell(at)
    execFileSync('mkfifo', [at.path('pipe')])
    mkdirSync(at.path('out'))
  })
  after(() => at[Symbol.asyncDispose]())

  const of = (file: string, options: Partial<BuildOptions> = {}) =>
    build({
      context: at.path('context'),
      root: at.path('store'),
      file,
      outputs: [{ type: 'local', dest: at.path('out') }],
      ...options,
    })
  const send = (text: string): void => void createWriteStream(at.path('pipe')).end(text)

  it('may be a pipe with a Dockerfile', async () => {
    const building = of(at.path('pipe'))
    send('FROM scratch\nCOPY busybox /b\n')
    assert.equal((await building).steps.total, 1)
  })

  it('are waited for only until the build is stopped', async () => {
    const stop = new AbortController()
    const building = of(at.path('pipe'), { signal: stop.signal })
    await setTimeout(20)
    stop.abort()
    await assert.rejects(building, { code: 'CANCELLED' })
  })

  it('are neither folders nor devices, nor without an end', async () => {
    for (const [file, why] of [
      [at.path('out'), 'it is a folder'],
      ['/dev/zero', 'it is a device'],
    ] as const) {
      const message = `failed to read dockerfile: ${file}: ${why}`
      await assert.rejects(of(file), { code: 'CONTEXT_INVALID', message })
      const secrets = { x: { file } }
      const reading = at.build([...SHELL_BASE, 'RUN --mount=type=secret,id=x true'], { secrets })
      await assert.rejects(reading, { code: 'USAGE', message: `secret x: ${file}: ${why}` })
    }
    const building = of(at.path('pipe'))
    const endless = createWriteStream(at.path('pipe'))
    endless.on('error', () => undefined).write(Buffer.alloc((4 << 20) + 1, '#'))
    await assert.rejects(building, { code: 'CONTEXT_INVALID' })
    endless.destroy()
  })

  it('may be a pipe with a secret, which is read once for all steps', async () => {
    const mount = '--mount=type=secret,id=x'
    const building = at.build(
      [...SHELL_BASE, `RUN ${mount} cat /run/secrets/x`, `RUN ${mount} cat /run/secrets/x; date`],
      { secrets: { x: { file: at.path('pipe') } }, noCache: true },
    )
    send('hush\n')
    assert.equal(outputOf(await building).split('hush\n').length, 3)
  })

  it('hold up no build that has failed', async () => {
    const building = at.build(
      [
        ...SHELL_BASE,
        'FROM base AS waits',
        'RUN --mount=type=secret,id=x cat /run/secrets/x',
        'FROM base',
        'RUN sleep 0.3; false',
        'COPY --from=waits / /',
      ],
      { secrets: { x: { file: at.path('pipe') } }, noCache: true, jobs: 2 },
    )
    await assert.rejects(building, { code: 'STEP_FAILED' })
  })
})
