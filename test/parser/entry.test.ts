import assert from 'node:assert/strict'

/** By its public name, which the compiler would resolve to the sources. */
async function entry(name: string): Promise<Readonly<Record<string, unknown>>> {
  return await import(name)
}

describe('tsbuild/parser', () => {
  it('parses, and throws what the other entries know', async () => {
    const { parseDockerfile, SourceError } = await entry('tsbuild/parser')
    const { TsbuildError } = await entry('tsbuild')
    assert.ok(typeof parseDockerfile === 'function' && typeof SourceError === 'function')
    const { diagnostics } = parseDockerfile('FORM a')
    assert.equal(diagnostics[0].message, 'unknown instruction: FORM (did you mean FROM?)')
    const error: unknown = new (Object.getPrototypeOf(SourceError))('x', { code: 'USAGE' })
    assert.ok(typeof TsbuildError === 'function' && error instanceof TsbuildError)
  })
})
