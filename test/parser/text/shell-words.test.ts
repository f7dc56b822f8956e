/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is about such text */
import assert from 'node:assert/strict'
import { parseHeredocWord } from '../../../parser/lines/heredocs.ts'
import { shellWords, unquote } from '../../../parser/text/shell-words.ts'

describe('shellWords', () => {
  it('splits where a shell would, and takes nothing away', () => {
    const cases: Readonly<Record<string, readonly string[]>> = {
      'a  b\tc': ['a', 'b', 'c'],
      '\'a b\' "c d" e\\ f': ["'a b'", '"c d"', 'e\\ f'],
      'a\'b\'"c"d': ['a\'b\'"c"d'],
      '"it\'s" \'a"b\'': ['"it\'s"', "'a\"b'"],
      '"a\\" b" c': ['"a\\" b"', 'c'],
      '$a ${b} $ $1x $@y': ['$a', '${b}', '$', '$1x', '$@y'],
      '"${a:-"b c"}" d': ['"${a:-"b c"}"', 'd'],
      '${v/ a/b} ${v//x/y}': ['${v/', 'a/b}', '${v//x/y}'],
      '${v:?x} ${v#a} ${v%%b} ${v:=c}': ['${v:?x}', '${v#a}', '${v%%b}', '${v:=c}'],
      'a << b <<- c <<<d <<\ve': ['a', '<< b', '<<-', 'c', '<<<d', '<<', 'e'],
      '"<< a" \'<< b\' \\<< c \\<\\< d': ['"<< a"', "'<< b'", '\\<<', 'c', '\\<\\<', 'd'],
      'a${x} b${x:-c}d e"f${x/g h/i}"': ['a${x}', '${x:-c}d', '"f${x/g h/i}"'],
      '<<a${x-b${y-c} <<${x:-d}': [],
      '<<a${x-b${y-c}} <<${x:-d}': ['${x-b${y-c}}', '${x:-d}'],
      '': [],
    }
    for (const [line, words] of Object.entries(cases)) {
      assert.deepEqual(shellWords(line), words, line)
    }
  })

  it('splits what a variable may stand for, unless it is quoted', () => {
    assert.deepEqual(shellWords('${x:- <<EOF}'), ['${x:-', '<<EOF}'])
    assert.deepEqual(shellWords('"${x:- <<EOF}"'), ['"${x:- <<EOF}"'])
  })

  it('finds no words behind a mistake', () => {
    for (const line of ["a 'b", 'a "b', 'a ${b', 'a ${b:-c', 'a ${', 'a ${}', 'a ${{b}}']) {
      assert.deepEqual(shellWords(line), [], line)
    }
    for (const line of ['a ${:b}', 'a ${#b}', 'a ${b[0]}', 'a ${ b}', 'a ${b/c}', 'a ${b:}']) {
      assert.deepEqual(shellWords(line), [], line)
    }
  })

  it('takes a hundred thousand open braces', () => {
    assert.deepEqual(shellWords('${a:-'.repeat(100_000)), [])
  })
})

describe('unquote', () => {
  it('takes quotes and escapes away', () => {
    const cases: Readonly<Record<string, string | undefined>> = {
      EOF: 'EOF',
      '"E"\'O\'\\F': 'EOF',
      '"a\\b\\"\\\\\\$"': 'a\\b"\\$',
      "'a\\b'": 'a\\b',
      '"a': undefined,
    }
    for (const [word, value] of Object.entries(cases)) assert.equal(unquote(word), value, word)
  })
})

describe('parseHeredocWord', () => {
  it('distinguishes heredocs from other words', () => {
    const show = (word: string): string => {
      const { name, expand, chomp, fileDescriptor } = parseHeredocWord(word) ?? {}
      return `${name} ${expand ? 'expand' : ''} ${chomp ? 'chomp' : ''} ${fileDescriptor}`
    }
    assert.equal(show('<<EOF'), 'EOF expand  -1')
    assert.equal(show('3<<-"E F"'), 'E F  chomp 3')
    assert.equal(show("<<-'a\"b'"), 'a"b  chomp -1')
    assert.equal(show('<<a\\"b'), 'a"b expand  -1')
    assert.equal(show('<<$x'), '$x expand  -1')
    assert.equal(show('<<  EOF '), 'EOF expand  -1')
    assert.equal(show('0<<- "a"'), 'a  chomp 0')
    assert.equal(show('<<a${x-b}'), '${x-b} expand  -1')
    for (const word of [
      '<<',
      '<<-',
      '<<<a',
      'a<<b',
      "<<''",
      '<<"a',
      '<a',
      '<<a<b',
      '-1<<a',
      '<< ',
      '<< a b',
    ]) {
      assert.equal(parseHeredocWord(word), undefined, word)
    }
  })
})
