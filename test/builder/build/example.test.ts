import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Workplace } from './support/workplace.ts'

const EXAMPLE = fileURLToPath(new URL('../../../../docs/examples/build-image.mjs', import.meta.url))

describe('the example of the library', () => {
  let at: Workplace
  beforeEach(async () => {
    at = await Workplace.open()
  })
  afterEach(() => at[Symbol.asyncDispose]())

  const run = async (): Promise<{ stdout: string; stderr: string; exitCode: number }> => {
    const args = [EXAMPLE, at.path('context'), 'example:1', at.path('store')]
    try {
      const output = await promisify(execFile)(process.execPath, args, { timeout: 30_000 })
      return { ...output, exitCode: 0 }
    } catch (error) {
      const { stdout, stderr, code } = error as { stdout: string; stderr: string; code: number }
      return { stdout, stderr, exitCode: code }
    }
  }

  it('builds an image, and ends', async () => {
    at.put({ a: 'A', Dockerfile: 'FROM scratch\nARG VERSION\nCOPY a /\nLABEL v=$VERSION\n' })
    for (const cached of [0, 1]) {
      const { stdout, stderr, exitCode } = await run()
      assert.equal(exitCode, 0, stderr)
      const { imageId, ...counts } = JSON.parse(stdout) as { imageId: string }
      assert.match(imageId, /^sha256:/)
      assert.deepEqual(counts, { layers: 1, total: 1, cached })
      assert.match(stderr, /COPY a \//)
    }
  })

  it('reports what is wrong', async () => {
    at.put({ Dockerfile: 'FROM scratch\nCOPY missing /\n' })
    const { stderr, exitCode } = await run()
    assert.equal(exitCode, 1)
    assert.match(stderr, /NOT_FOUND: /)
  })
})
