import assert from 'node:assert/strict'
import {
  expandWord,
  expandWords,
  ignoreRules,
  linkStages,
  matchPath,
  parseDockerfile,
  parseDockerignore,
} from '#parser'

const KIB = 1024

/** How many times slower a processor is that other programs share. */
const BUSY = 2.5

/** Texts of about `size` characters that have been trouble for one parser or another. */
const DOCKERFILES: Readonly<Record<string, (size: number) => string>> = {
  'blank lines': (size) => '\n'.repeat(size),
  'blank continuation lines': (size) => `FROM a\nRUN x \\\n${'\n'.repeat(size)}`,
  spaces: (size) => `FROM a\nRUN a${' '.repeat(size)}b`,
  'spaces in front': (size) => `FROM a\nRUN ${' '.repeat(size)}`,
  'short lines': (size) => `FROM a\n${'CMD a\n'.repeat(size / 6)}`,
  'unknown instructions': (size) => 'XY a\n'.repeat(size / 5),
  'continued lines': (size) => `FROM a\nRUN ${'a\\\n'.repeat(size / 3)}`,
  'escapes only': (size) => `FROM a\nRUN ${'\\'.repeat(size)}`,
  digits: (size) => `FROM a\nRUN ${'1'.repeat(size)}<<`,
  'heredoc words': (size) => `FROM a\nRUN ${'<<a '.repeat(size / 4)}`,
  'angle brackets': (size) => `FROM a\nRUN ${'<'.repeat(size)}`,
  'heredoc body': (size) => `FROM a\nRUN <<E\n${'\t\n'.repeat(size / 2)}E`,
  'open quotes': (size) => `FROM a\nENV a="${'\\"'.repeat(size / 2)}`,
  'many pairs': (size) => `FROM a\nENV ${'a=b '.repeat(size / 4)}`,
  'many flags': (size) => `FROM a\nRUN ${'--a=b '.repeat(size / 6)}`,
  'one flag': (size) => `FROM a\nCOPY --from='${'a\\'.repeat(size / 2)} b`,
  'open arrays': (size) => `FROM a\nRUN ${'['.repeat(size)}`,
  'array of arrays': (size) => `FROM a\nCOPY ${'['.repeat(size / 2)}${']'.repeat(size / 2)}`,
  'array of strings': (size) => `FROM a\nCMD [${'"\\"",'.repeat(size / 5)}""]`,
  'nested ONBUILD': (size) => `FROM a\n${'ONBUILD '.repeat(size / 8)}`,
  'mount fields': (size) => `FROM a\nRUN --mount=${'a=b,'.repeat(size / 4)} x`,
  'directive lines': (size) => `# check=${'skip=;'.repeat(size / 6)}\nFROM a`,
  'almost a directive': (size) => `#${' '.repeat(size)}a`,
  'long duration': (size) => `FROM a\nHEALTHCHECK --interval=${'1'.repeat(size)} CMD x`,
  'stage name': (size) => `FROM a AS ${'a-'.repeat(size / 2)}!`,
  comments: (size) => `${'#\n'.repeat(size / 2)}FROM a`,
  'comments in a continuation': (size) => `FROM a\nRUN a \\\n${'#\n'.repeat(size / 2)}b`,
  'many heredocs': (size) => `FROM a\n${'RUN <<E\nE\n'.repeat(size / 10)}`,
  'heredocs on a line': (size) =>
    `FROM a\nCOPY ${'<<a '.repeat(size / 6)} /x\n${'a\n'.repeat(size / 6)}`,
  'open braces before a heredoc': (size) => `FROM a\nRUN ${'${a:-'.repeat(size / 5)} <<E`,
  'mount flags': (size) => `FROM a\nRUN ${'--mount=from=a '.repeat(size / 15)}x`,
  'exclude flags': (size) => `FROM a\nCOPY ${'--exclude=a '.repeat(size / 12)}a b`,
  quotes: (size) => `FROM a\nENV a=${'"a"'.repeat(size / 3)}`,
  'ARGs on a line': (size) => `ARG ${'a=b '.repeat(size / 4)}\nFROM a`,
  'many ARGs': (size) => `${'ARG a\n'.repeat(size / 6)}FROM a`,
  'many arrays': (size) => `FROM a\n${'CMD ["a"]\n'.repeat(size / 10)}`,
  'many open arrays': (size) => `FROM a\n${'RUN [[]\n'.repeat(size / 8)}`,
  'one array of paths': (size) => `FROM a\nCOPY [${'"a",'.repeat(size / 4)}"a"]`,
  'stages that copy': (size) =>
    `FROM a AS s\n${'FROM a AS s\nCOPY --from=s a b\n'.repeat(size / 30)}`,
  'many stages': (size) => 'FROM a\n'.repeat(size / 7),
  'many triggers': (size) => `FROM a\n${'ONBUILD RUN a\n'.repeat(size / 14)}`,
  'old ENV': (size) => `FROM a\n${'ENV a b\n'.repeat(size / 8)}`,
  ports: (size) => `FROM a\nEXPOSE ${'1 '.repeat(size / 2)}`,
}

/** Instructions much longer than a line may be, and files of them. */
const LARGE: Readonly<Record<string, (size: number) => string>> = {
  'pairs on many lines': (size) => `FROM a\nENV ${'a=b c=d \\\n'.repeat(size / 10)}`,
  'flags on many lines': (size) => `FROM a\nCOPY ${'--exclude=a \\\n'.repeat(size / 14)}a b`,
  'words on many lines': (size) => `FROM a\nEXPOSE ${'1 2 3 4 \\\n'.repeat(size / 10)}`,
  'heredocs on many lines': (size) => `FROM a\nCOPY ${'<<a <<b \\\n'.repeat(size / 10)} /x\n`,
  'repeated directives': (size) => '# escape=`\n'.repeat(size / 11),
  'many instructions': (size) => `FROM a\n${'COPY --from=x a b\n'.repeat(size / 18)}`,
  'blank lines': (size) => '\n'.repeat(size),
}

const WORDS: Readonly<Record<string, (size: number) => string>> = {
  variables: (size) => '$a'.repeat(size / 2),
  'open braces': (size) => '${a:-'.repeat(size / 5),
  'open quotes': (size) => '"$'.repeat(size / 2),
  'single quotes': (size) => "''a".repeat(size / 3),
  escapes: (size) => '\\a'.repeat(size / 2),
  'shortest prefix': (size) => `\${v#${'*a'.repeat(size / 4)}}`,
  'longest suffix': (size) => `\${v%%${'?*'.repeat(size / 4)}}`,
  'replace all': (size) => `\${v//${'*a'.repeat(size / 4)}b/x}`,
  'replace one by one': () => `$\{v//a*b/x}$\{v//a/bb}$\{v//?b/}`,
  blanks: (size) => `${' '.repeat(size)}$a`,
}

/** Words that are slow to read for one lexer or another, and values that are slow to search. */
const SLOW_WORDS: Readonly<Record<string, (size: number) => string>> = {
  ...WORDS,
  'nested 1,000 times': () => `${'${a:-'.repeat(1000)}x${'}'.repeat(1000)}`,
  'nested as often as fits': (size) => `${'${a-'.repeat(size / 5)}${'}'.repeat(size / 5)}`,
  'nested in quotes': (size) => `${'"${a-'.repeat(size / 7)}${'}"'.repeat(size / 7)}`,
  'one level': (size) => `$\{a-}`.repeat(size / 5),
  'one long name': (size) => `\${${'a'.repeat(size)}}`,
  'long names': (size) => `\${${'한'.repeat(size / 3)}`,
  'patterns on a long value': (size) => `$\{v#b}$\{v%a*b}$\{v//ab/}`.repeat(size / 23),
  'a long segment': (size) => `\${v##*${'a'.repeat(size / 2)}b}`,
}

const PATTERNS: readonly (readonly [string, string])[] = [
  [`${'**/a/'.repeat(80)}b`, 'a/'.repeat(2000)],
  ['*a'.repeat(40), `${'a'.repeat(4000)}b`],
  [`${'*a'.repeat(1000)}b`, 'a'.repeat(2000)],
  [`${'a?'.repeat(1000)}*`, 'a'.repeat(2000)],
  [`${'[a-z]*'.repeat(500)}!`, 'a'.repeat(4000)],
]

/**
 * Milliseconds of processor time, the lesser of two runs: other work of the machine disturbs the first
 * measurement or the second.
 */
function time(run: () => unknown): number {
  const once = (): number => {
    const start = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1000
  }
  return Math.min(once(), once())
}

describe('linear time', function () {
  this.timeout(60_000)

  before(() => parseDockerfile(`FROM a\n${'RUN a\nENV a=b\n'.repeat(500)}`))

  for (const [name, make] of Object.entries(DOCKERFILES)) {
    it(`parseDockerfile: ${name}`, () => {
      assertLinear((size) => time(() => parseDockerfile(make(size))))
    })

    it(`parseDockerfile, 64 KiB in 50 ms: ${name}`, () => {
      const text = make(64 * KIB)
      let best = Number.POSITIVE_INFINITY
      for (let run = 0; run < 20 && best >= 50; run++) {
        const once = time(() => parseDockerfile(text))
        best = Math.min(best, once)
      }
      assert.ok(best < 50 * BUSY, `${best} ms`)
    })
  }

  for (const [name, make] of Object.entries(LARGE)) {
    it(`parseDockerfile, large: ${name}`, () => {
      const [small, large] = [128 * KIB, 512 * KIB].map((size) => {
        return time(() => parseDockerfile(make(size)))
      })
      const growth = `128 KiB took ${small} ms, 512 KiB ${large} ms`
      assert.ok((large ?? 0) < 8 * (small ?? 0) + 100, growth)
    })
  }

  for (const [name, make] of Object.entries(WORDS)) {
    it(`expandWord: ${name}`, () => {
      const value = 'a'.repeat(32 * KIB)
      const lookup = (variable: string): string | undefined =>
        variable === 'v' ? value : undefined
      assertLinear((size) => {
        const raw = make(size)
        return time(() => {
          attempt(() => expandWord(raw, { lookup }))
          attempt(() => expandWords(raw, { lookup }))
        })
      })
    })
  }

  for (const [name, make] of Object.entries(SLOW_WORDS)) {
    it(`expandWord, 64 KiB in 50 ms: ${name}`, () => {
      const value = 'a'.repeat(32 * KIB)
      const raw = make(64 * KIB)
      const lookup = (variable: string): string | undefined =>
        variable === 'v' ? value : undefined
      const once = (): number => time(() => attempt(() => expandWord(raw, { lookup })))
      const took = Math.min(once(), once(), once(), once())
      assert.ok(took < 50 * BUSY, `${took} ms`)
    })
  }

  it('patterns', () => {
    for (const [pattern, path] of PATTERNS) {
      const shown = `${pattern.slice(0, 20)} on ${path.slice(0, 10)}`
      assert.ok(time(() => ignoreRules([pattern]).isIgnored(path)) < 500, shown)
      assert.ok(time(() => matchPath(pattern.replaceAll('**', '*'), path)) < 500, shown)
    }
  })

  it('ignore rules for very many paths', () => {
    const rules = parseDockerignore('**/node_modules\n*.log\n**/*.md\n!README.md\n.git\ndist/**\n')
    const paths = Array.from(
      { length: 20_000 },
      (_, index) => `src/d${index % 100}/file${index}.ts`,
    )
    assert.ok(time(() => paths.filter((path) => rules.isIgnored(path))) < 500)
  })

  it('a graph of very many stages', () => {
    const lines = Array.from({ length: 5000 }, (_, index) => `FROM s${index} AS s${index + 1}`)
    const copies = lines.map((_, index) => `COPY --from=s${index + 1} . .`)
    const { dockerfile } = parseDockerfile([...lines, 'FROM x', ...copies].join('\n'))
    const expand = ({ raw }: { readonly raw: string }): string => raw
    assert.ok(time(() => linkStages(dockerfile, { expand })) < 500)
  })
})

/** 64 KiB cost no more than half a second even here, and no more than a few times what 16 KiB do. */
function assertLinear(run: (size: number) => number): void {
  const small = run(16 * KIB)
  const large = run(64 * KIB)
  assert.ok(large < 500, `64 KiB took ${large} ms`)
  assert.ok(large < 10 * small + 50, `16 KiB took ${small} ms, 64 KiB ${large} ms`)
}

function attempt(run: () => unknown): void {
  try {
    run()
  } catch {
    // Limits may be reached here; how fast is what counts.
  }
}
