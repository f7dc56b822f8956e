import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { capture, inContainer } from '../../../support/peers/index.ts'
import { foreignImage, foreignLayer, publish } from '../support/images.ts'
import { Workplace } from '../support/workplace.ts'

const CLI = fileURLToPath(new URL('../../../../../cli/bin.js', import.meta.url))

describe('build: steps that cannot run', () => {
  it('fail before anything is pulled for them', async function () {
    if (process.getuid?.() !== 0) this.skip()
    await using at = await Workplace.open()
    const layer = await foreignLayer({ file: 'x' })
    publish(at.registry, 'base', foreignImage([layer]))
    const build = async (lines: readonly string[]) => {
      at.put({ Dockerfile: [`FROM ${at.at('base')}`, ...lines].join('\n') })
      const [program = '', ...words] = [...inContainer({ refusing: true }), process.execPath, CLI]
      const flags = ['-t', 'x', '--root', at.path('store'), '--insecure-registry', at.registry.host]
      const { stderr } = await capture(program, [...words, 'build', ...flags, at.path('context')])
      const isPulled = at.takeLog().some((line) => line.includes(layer.descriptor.digest))
      return { stderr, isPulled }
    }
    const refused = await build(['RUN ["/file"]'])
    assert.match(refused.stderr, /SANDBOX_UNAVAILABLE/)
    assert.equal(refused.isPulled, false)
    const copied = await build(['FROM scratch', 'COPY --from=0 /file /'])
    assert.equal(copied.isPulled, true, copied.stderr)
  })
})
