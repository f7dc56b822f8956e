import assert from 'node:assert/strict'
import { type CopyAction, runFileActions } from '#builder/files'
import { directoryTree } from '#builder/tree'
import { TsbuildError } from '#core'
import { parseDockerignore } from '#parser'
import { copy, type Listing, workspace } from './fixture.ts'

interface Case {
  readonly name: string
  readonly source: Listing
  readonly action: CopyAction
  /** The paths of the changes; directories with a slash. */
  readonly paths: readonly string[]
  /** Where they count. */
  readonly warnings?: readonly string[]
}

function check(cases: readonly Case[]): void {
  for (const { name, source, action, paths, warnings } of cases) {
    it(name, async () => {
      using space = workspace({ source })
      const shown = await space.show([action])
      assert.deepEqual(
        shown.map((line) => line.split(' ')[0]),
        paths,
      )
      if (warnings !== undefined) assert.deepEqual(space.warnings, warnings)
    })
  }
}

describe('wildcards', () => {
  const source: Listing = ['a.c', 'b.c', 'b.h', 'd/', 'd/x.c', 'd/sub/', 'd/sub/y', 'e.c/', 'e.c/z']
  check([
    {
      name: 'match names, a directory gives its content',
      source,
      action: copy('*.c', '/x/'),
      paths: ['x/', 'x/a.c', 'x/b.c', 'x/z'],
    },
    { name: 'match one character', source, action: copy('?.h', '/x/'), paths: ['x/', 'x/b.h'] },
    {
      name: 'match a class',
      source,
      action: copy('[^e].c', '/x/'),
      paths: ['x/', 'x/a.c', 'x/b.c'],
    },
    {
      name: 'do not cross a slash',
      source,
      action: copy('d/*', '/x/'),
      paths: ['x/', 'x/x.c', 'x/y'],
    },
    {
      name: 'match directories on the way',
      source,
      action: copy('*/*.c', '/x/'),
      paths: ['x/', 'x/x.c'],
    },
    {
      name: 'are cleaned like paths',
      source,
      action: copy('/../d/.//sub/../*.c', '/x/'),
      paths: ['x/', 'x/x.c'],
    },
    {
      name: 'can be escaped',
      source: ['[a]', 'a', '*'],
      action: copy('[[]a]', '/x/'),
      paths: ['x/', 'x/[a]'],
    },
    {
      name: 'mean nothing when they are not wanted',
      source: ['*', 'a'],
      action: copy('*', '/x/', { wildcards: false }),
      paths: ['x/', 'x/*'],
    },
    {
      name: 'match names that are not ASCII by character',
      source: ['ä.c', 'ää.c'],
      action: copy('?.c', '/x/'),
      paths: ['x/', 'x/ä.c'],
    },
    {
      name: 'follow links that match, and the links before the first wildcard',
      source: ['real/', 'real/f', 'l -> real', 'm -> real/f'],
      action: copy(['[lm]', 'l/*'], '/x/'),
      paths: ['x/', 'x/f', 'x/m'],
    },
    {
      name: 'do not look for matches behind links',
      source: ['real/', 'real/f', 'l -> real'],
      action: copy('l*/f', '/x/'),
      paths: [],
    },
  ])

  it('that match nothing copy nothing, with a warning', async () => {
    using space = workspace({ source: ['a', 'd/'] })
    assert.deepEqual(await space.show([copy(['*.c', 'no*/such/*', 'd/*', 'a/*'], '/x/')]), [])
    assert.deepEqual(space.warnings, [
      '*.c matches nothing: nothing is copied; in / there is: a, d; .dockerignore may exclude more',
      'no*/such/* matches nothing: nothing is copied; in / there is: a, d; .dockerignore may exclude more',
      'd/* matches nothing: nothing is copied; /d is empty; .dockerignore may exclude more',
      'a/* matches nothing: nothing is copied; /a is not a directory',
    ])
  })

  it('of --parents that match nothing give a warning, which names links on their way', async () => {
    const source = ['bin -> usr/bin', 'usr/', 'usr/bin/', 'usr/bin/sh', 'd/', 'd/f']
    using space = workspace({ source })
    const parents = { parents: true }
    const paths = ['d/*.c', 'bin/*', 'usr/./bin/x*', './././bin/*', 'q*/./*', 'd/*']
    await space.show([copy(paths, '/x/', parents)])
    assert.deepEqual(space.warnings, [
      'd/*.c matches nothing: nothing is copied; in /d there is: f; .dockerignore may exclude more',
      'bin/* matches nothing: nothing is copied; /bin is a symbolic link to usr/bin, which --parents does not follow: name /usr/bin instead',
      'usr/./bin/x* matches nothing: nothing is copied; in /usr/bin there is: sh; .dockerignore may exclude more',
      './././bin/* matches nothing: nothing is copied; /bin is a symbolic link to usr/bin, which --parents does not follow: name /usr/bin instead',
      'q*/./* matches nothing: nothing is copied; in / there is: bin, d, usr; .dockerignore may exclude more',
    ])
  })

  it('say when they are links out of their source', async () => {
    using space = workspace({
      source: ['d/', 'out -> ../outside', 'far -> /etc/passwd', 'd/in -> ../out', 'ok -> d'],
    })
    for (const [path, link] of [
      ['out', '/out is a symbolic link to ../outside'],
      ['out/x', '/out is a symbolic link to ../outside'],
      ['far', '/far is a symbolic link to /etc/passwd'],
      ['ok/in', '/d/in is a symbolic link to ../out'],
      ['d/../out', '/out is a symbolic link to ../outside'],
    ] as const) {
      await assert.rejects(space.run([copy(path, '/x/')]), (error) => {
        assert.ok(error instanceof TsbuildError && error.code === 'NOT_FOUND')
        assert.equal(error.hint?.split(';')[0], link)
        return true
      })
    }
  })

  it('stand in something that is there, and are well-formed', async () => {
    using space = workspace({ source: ['a', 'd/', 'gone -> nowhere'] })
    const parents = { parents: true }
    for (const [path, missing, flags] of [
      ['no/such/*', '/no/such', {}],
      ['d/no/*', '/d/no', {}],
      ['a/no/*', '/a/no', {}],
      ['gone/*', '/gone', {}],
      ['no/*/./x', '/no', parents],
    ] as const) {
      const message = `"${missing}": not found`
      await assert.rejects(space.run([copy(path, '/x/', flags)]), { code: 'NOT_FOUND', message })
    }
    for (const path of ['[', 'd/*/[', 'a/[b-]']) {
      await assert.rejects(space.run([copy(path, '/x/')]), {
        code: 'DOCKERFILE_INVALID',
        message: /^syntax error in pattern/,
      })
    }
  })
})

describe('--exclude', () => {
  const source: Listing = [
    'd/',
    'd/a.c',
    'd/a.o',
    'd/sub/',
    'd/sub/b.o',
    'd/sub/b.c',
    'd/out/x',
    'd/out/y',
  ]
  const exclude = (...patterns: string[]) => ({ exclude: patterns })
  check([
    {
      name: 'is relative to what is copied',
      source,
      action: copy('d', '/x', exclude('*.o')),
      paths: ['x/', 'x/a.c', 'x/out/', 'x/out/x', 'x/out/y', 'x/sub/', 'x/sub/b.c', 'x/sub/b.o'],
    },
    {
      name: 'reaches every level with two stars',
      source,
      action: copy('d', '/x', exclude('**/*.o', 'out')),
      paths: ['x/', 'x/a.c', 'x/sub/', 'x/sub/b.c'],
    },
    {
      name: 'has exceptions, with the directories on the way',
      source,
      action: copy('d', '/x', exclude('*', '!out/y')),
      paths: ['x/', 'x/out/', 'x/out/y'],
    },
    {
      name: 'leaves no directory behind when the exception matches nothing',
      source,
      action: copy('d', '/x', exclude('*', '!out/z', '!sub/none/deep')),
      paths: ['x/'],
    },
    {
      name: 'counts below the matches of a wildcard, not for them',
      source,
      action: copy('d/*', '/x/', exclude('*.o', 'out')),
      paths: ['x/', 'x/a.c', 'x/a.o', 'x/b.c', 'x/x', 'x/y'],
      warnings: [
        '/d/a.o and 1 more are copied: d/* names it, and --exclude counts below what a source names',
      ],
    },
    {
      name: 'that leaves nothing of a directory leaves the destination',
      source,
      action: copy('d', '/x/y/', exclude('**')),
      paths: ['x/', 'x/y/'],
      warnings: [],
    },
    {
      name: 'that leaves nothing of the directories that a wildcard matches does so, too',
      source,
      action: copy('d/[so]*', '/x/y', exclude('?*', '**/?')),
      paths: ['x/', 'x/y/'],
      warnings: [
        '/d/out and 1 more are copied: d/[so]* names it, and --exclude counts below what a source names',
      ],
    },
    {
      name: 'means nothing with a slash in front',
      source,
      action: copy('d', '/x/', exclude('/a.o', '!/b.c', '/out/x')),
      paths: [
        ...['x/', 'x/a.c', 'x/a.o', 'x/out/', 'x/out/x', 'x/out/y'],
        ...['x/sub/', 'x/sub/b.c', 'x/sub/b.o'],
      ],
    },
    {
      name: 'never takes away what was selected itself',
      source,
      action: copy(['d/a.o', 'd'], '/x/', exclude('*')),
      paths: ['x/', 'x/a.o'],
    },
  ])
})

describe('--parents', () => {
  const source: Listing = [
    'a/ 0711 3:3',
    'a/b.txt',
    'c/d/ 0750',
    'c/d/e.txt',
    'c/d/f.md',
    'x/y/1.txt',
    'x/y/2.md',
    '!bang',
  ]
  const parents = { parents: true }
  check([
    {
      name: 'keeps the directories of a source',
      source,
      action: copy(['a/b.txt', 'c/d'], '/out/', parents),
      paths: [
        'out/',
        'out/a/',
        'out/a/b.txt',
        'out/c/',
        'out/c/d/',
        'out/c/d/e.txt',
        'out/c/d/f.md',
      ],
    },
    {
      name: 'matches any depth with two stars',
      source,
      action: copy('./c/**/*.txt', '/out/', parents),
      paths: ['out/', 'out/c/', 'out/c/d/', 'out/c/d/e.txt'],
    },
    {
      name: 'drops what is before the pivot',
      source,
      action: copy('x/./y/*.txt', '/out/', parents),
      paths: ['out/', 'out/y/', 'out/y/1.txt'],
    },
    {
      name: 'takes every directory that a pattern before the pivot matches',
      source,
      action: copy('[cx]/*/./*.txt', '/out/', parents),
      paths: ['out/', 'out/1.txt', 'out/e.txt'],
    },
    {
      name: 'excludes too',
      source,
      action: copy('c', '/out/', { parents: true, exclude: ['**/*.md'] }),
      paths: ['out/', 'out/c/', 'out/c/d/', 'out/c/d/e.txt'],
    },
    {
      name: 'takes an exclamation mark for a part of the name',
      source,
      action: copy('!bang', '/out/', parents),
      paths: ['out/', 'out/!bang'],
    },
    {
      name: 'takes everything from the root',
      source: ['a/b'],
      action: copy('.', '/out', parents),
      paths: ['out/', 'out/a/', 'out/a/b'],
    },
  ])

  it('gives the directories on the way the metadata of the source', async () => {
    using space = workspace({ source })
    assert.deepEqual(await space.show([copy('a/b.txt', '/out/', parents)]), [
      'out/ 0755 0:0',
      'out/a/ 0711 3:3',
      'out/a/b.txt 0644 0:0 =a/b.txt',
    ])
  })

  it('fails for a missing source without wildcards', async () => {
    using space = workspace({ source })
    await assert.rejects(space.run([copy('a/c.txt', '/out/', parents)]), {
      code: 'NOT_FOUND',
      message: '"/a/c.txt": not found',
      hint: 'did you mean /a/b.txt?',
    })
    assert.deepEqual(await space.show([copy('a/*.md', '/out/', parents)]), ['out/ 0755 0:0'])
  })

  it('reports that a directory on the way is a link', async () => {
    using space = workspace({ source: ['bin -> usr/bin', 'usr/', 'usr/bin/', 'usr/bin/sh'] })
    for (const [path, named] of [
      ['bin/sh', ': name /usr/bin/sh instead'],
      ['./bin/no', ''],
    ] as const) {
      await assert.rejects(space.run([copy(path, '/out/', parents)]), {
        code: 'NOT_FOUND',
        hint: `/bin is a symbolic link to usr/bin, which --parents does not follow${named}`,
      })
    }
    assert.deepEqual(await space.show([copy('bin', '/out/', parents)]), [
      'out/ 0755 0:0',
      'out/bin 0:0 -> usr/bin',
    ])
  })
})

describe('a build context with .dockerignore', () => {
  it('has nothing of what is ignored, by name, by wildcard or through a link', async () => {
    using space = workspace({ source: ['a', 'secret/key', 'secret/public', 'link -> secret'] })
    const ignore = parseDockerignore('secret\n!secret/public\n')
    const context = directoryTree(space.directory.file('source'), { ignore })
    const run = async (paths: readonly string[]) => {
      const temporary = space.directory.file('unused')
      const options = { root: space.root, sources: [context], temporary, mtimeMs: 0 }
      using result = await runFileActions([copy(paths, '/x/')], options)
      return [...result.changes].map(({ path }) => path)
    }
    assert.deepEqual(await run(['.']), ['x', 'x/a', 'x/link', 'x/secret', 'x/secret/public'])
    assert.deepEqual(await run(['link/*', 'secret']), ['x', 'x/public'])
    await assert.rejects(run(['secret/key']), {
      code: 'NOT_FOUND',
      message: '"/secret/key": not found',
    })
    await assert.rejects(run(['link/key']), {
      code: 'NOT_FOUND',
      hint: /\.dockerignore may exclude it/,
    })
    context.close()
  })
})

describe('directories that are copied only for something in them', () => {
  for (const then of [[], [copy('f', '/y')]]) {
    it(`keep their owner where they are, ${then.length === 0 ? 'last' : 'before others'}`, async () => {
      using space = workspace({
        root: ['x/', 'x/d/ 0777 7:7', 'x/d/e/ 0777 7:7'],
        source: ['d/ 0750', 'd/e/ 0700', 'd/e/f', 'd/g/ 0711', 'd/g/f', 'f'],
      })
      const flags = { exclude: ['**', '!**/f'], owner: { user: '9' } }
      const lines = await space.show([copy('.', '/x/', flags), ...then])
      assert.deepEqual(lines.filter((line) => line.includes('/ ')).slice(-3), [
        'x/d/ 0750 7:7',
        'x/d/e/ 0700 7:7',
        'x/d/g/ 0711 9:9',
      ])
    })
  }
})
