import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  inContainer,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'

const LAUNCHER = fileURLToPath(new URL('../../../../cli/bin.js', import.meta.url))

describe('tsbuild where no namespaces can be had', () => {
  let place: TemporaryDirectory
  before(function () {
    if (process.getuid?.() !== 0) this.skip()
    place = temporaryDirectory('no-namespaces')
    mkdirSync(place.file('context'))
    writeFileSync(place.file('context/file'), 'text\n')
  })
  after(() => place?.[Symbol.dispose]())

  function build(lines: readonly string[]): {
    readonly code: number | null
    readonly text: string
  } {
    writeFileSync(place.file('context/Dockerfile'), lines.join('\n'))
    const command = [LAUNCHER, 'build', '-t', 'x', '--root', place.file('store')]
    const [program = '', ...args] = [
      ...inContainer({ refusing: true }),
      ...[process.execPath, ...command, place.file('context')],
    ]
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
    return { code: status, text: stdout + stderr }
  }

  it('builds what has no steps', () => {
    const { code, text } = build(['FROM scratch', 'COPY file /', 'WORKDIR /a', 'CMD ["/file"]'])
    assert.equal(code, 0, text)
    assert.match(text, /docker\.io\/library\/x:latest/)
    assert.doesNotMatch(text, /warning/)
  })

  it('fails at the first step with what is refused, and what to do', () => {
    const { code, text } = build(['FROM scratch', 'COPY file /', 'RUN ["/file"]'])
    assert.equal(code, 1)
    assert.match(text, />>> RUN \["\/file"\]/)
    assert.match(text, /ERROR: steps need namespaces, .*: ENOSPC: .*\(SANDBOX_UNAVAILABLE\)/)
    assert.match(text, /hint: .*max_user_namespaces is 0/)
  })
})
