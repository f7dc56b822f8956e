import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { capture, temporaryDirectory } from '../../support/peers/index.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'

const EXAMPLE = fileURLToPath(
  new URL('../../../../docs/examples/copy-artifact.mjs', import.meta.url),
)
const LIBRARY = fileURLToPath(new URL('../../../bundle/registry-client.js', import.meta.url))

describe('the example of the registry client', () => {
  const run = async (image: string, home: string, content: string) => {
    const file = `${home}/file`
    writeFileSync(file, content)
    const env = { HOME: home, DOCKER_CONFIG: home }
    return await capture(process.execPath, [EXAMPLE, image, file], { env })
  }

  it('does what it says, and uses the library alone', async () => {
    assert.ok(existsSync(LIBRARY), 'npm run build')
    using home = temporaryDirectory('example')
    await using registry = await MemoryRegistry.start()
    const { stdout, stderr, status } = await run(`${registry.host}/team/file:1`, home.path, 'hello')
    assert.equal(status, 0, stderr)
    const { root, ...rest } = JSON.parse(stdout)
    assert.deepEqual(rest, { size: 5, tags: ['1'], referrers: 0 })
    assert.ok(registry.manifest('team/file', root))
  })

  it('reports a failure by its code', async () => {
    using home = temporaryDirectory('example')
    await using registry = await MemoryRegistry.start()
    registry.fail({ times: 99, action: { kind: 'reply', reply: { status: 403 } } })
    const { stderr, status } = await run(`${registry.host}/team/file:1`, home.path, 'hello')
    assert.equal(status, 1)
    assert.match(stderr, /^REGISTRY_DENIED: /)
  })
})
