import assert from 'node:assert/strict'
import { heredocBody, parseDockerfile, parseTrigger } from '#parser'

describe('parseTrigger', () => {
  it('parses what ONBUILD stored, heredocs included', () => {
    const text = 'FROM a\nONBUILD COPY <<-ONE <<"TWO" /dst/\n\t1\n\tONE\n2\nTWO\n'
    const [onbuild] = parseDockerfile(text).dockerfile.stages[0]?.instructions ?? []
    assert.ok(onbuild?.kind === 'onbuild')
    assert.equal(onbuild.trigger, 'COPY <<-ONE <<"TWO" /dst/\n\t1\nONE\n2\nTWO')
    const { instruction, diagnostics } = parseTrigger(onbuild.trigger)
    assert.deepEqual(diagnostics, [])
    assert.ok(instruction?.kind === 'copy')
    assert.deepEqual(instruction.heredocs.map(heredocBody), ['1\n', '2\n'])
  })

  it('takes what an image may hold that no Dockerfile can make', () => {
    for (const [text, kind] of [
      ['MAINTAINER x', 'maintainer'],
      ['ONBUILD RUN x', 'onbuild'],
    ]) {
      const { instruction, diagnostics } = parseTrigger(text ?? '')
      assert.equal(instruction?.kind, kind)
      assert.deepEqual(diagnostics, [])
    }
  })

  const cases = {
    '': 'onbuild trigger should be a single expression',
    'RUN a\nRUN b': 'onbuild trigger should be a single expression',
    'FROM x': "FROM isn't allowed as an ONBUILD trigger",
    'RNU x': 'unknown instruction: RNU (did you mean RUN?)',
    'RUN <<EOF\nx': 'unterminated heredoc',
  }
  for (const [text, message] of Object.entries(cases)) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const { instruction, diagnostics } = parseTrigger(text)
      assert.equal(instruction, undefined)
      assert.deepEqual(
        diagnostics.map((diagnostic) => diagnostic.message),
        [message],
      )
    })
  }
})
