import assert from 'node:assert/strict'
import { parseDockerfile } from '#parser'

function messages(source: string | Uint8Array): readonly string[] {
  return parseDockerfile(source).diagnostics.map(({ message }) => message)
}

describe('parseDockerfile', () => {
  it('takes text and bytes alike', () => {
    const text = '\ufeffFROM alpine\nRUN echo 한 🙂\n'
    const fromBytes = parseDockerfile(new TextEncoder().encode(text))
    assert.deepEqual(fromBytes, parseDockerfile(text))
    assert.equal(fromBytes.dockerfile.stages.length, 1)
  })

  it('refuses files over 4 MiB, not files of 4 MiB', () => {
    const line = `# ${'x'.repeat(1021)}\n`
    const text = `${line.repeat(4095)}FROM a\n`
    assert.deepEqual(messages(text.padEnd(4 * 1024 * 1024, '\n')), [])
    const message = 'the Dockerfile is larger than 4 MiB'
    assert.deepEqual(messages(text.padEnd(4 * 1024 * 1024 + 1, '\n')), [message])
    assert.deepEqual(messages(`FROM a\n#${'한'.repeat(2 * 1024 * 1024)}`), [message])
  })

  it('takes lines of 65535 bytes and no longer ones, heredocs included', () => {
    const message = 'dockerfile line greater than max allowed size of 65535'
    const line = (bytes: number): string => `RUN ${'x'.repeat(bytes - 4)}`
    assert.deepEqual(messages(`FROM a\n${line(65_535)}\n`), [])
    assert.deepEqual(messages(`FROM a\n${line(65_536)}\n`), [message])
    assert.deepEqual(messages(`FROM a\nRUN ${'한'.repeat(21_843)}xx\n`), [])
    assert.deepEqual(messages(`FROM a\nRUN ${'한'.repeat(21_844)}\n`), [message])
    assert.deepEqual(messages(`FROM a\nRUN <<E\n${'x'.repeat(65_536)}\nE\n`), [message])
  })

  it('joins continuations to more than a line may hold', () => {
    const text = `FROM a\nRUN ${`${'x'.repeat(60_000)}\\\n`.repeat(3)}\n`
    const [run] = parseDockerfile(text).dockerfile.stages[0]?.instructions ?? []
    assert.ok(run?.kind === 'run' && run.command.form === 'shell')
    assert.equal(run.command.script.length, 180_000)
  })

  it('reports no more than a thousand errors, and no warning in place of one', () => {
    const text = `FROM a\n${'RUN a \\\n\n b\n'.repeat(1500)}${'XYZ\n'.repeat(1500)}`
    const { diagnostics } = parseDockerfile(text)
    assert.equal(diagnostics.filter(({ severity }) => severity === 'error').length, 1000)
    assert.equal(diagnostics.length, 2000)
  })
})
