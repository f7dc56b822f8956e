import assert from 'node:assert/strict'
import { DockerfileGrammar } from '../../../parser/grammar/grammar.ts'
import { createLexer } from '../../../parser/grammar/lexer.ts'
import { createLineVisitor } from '../../../parser/grammar/to-ast.ts'
import { WordGrammar } from '../../../parser/words/word-grammar.ts'
import { createWordLexer } from '../../../parser/words/word-lexer.ts'

describe('grammars', () => {
  it('are well-formed: checks that are skipped in use', () => {
    assert.deepEqual(createLexer('test').lexerDefinitionErrors, [])
    assert.deepEqual(createWordLexer('test').lexerDefinitionErrors, [])
    assert.doesNotThrow(() => createLineVisitor(new DockerfileGrammar('test'), 'test'))
    assert.doesNotThrow(() => new WordGrammar('test'))
  })
})
