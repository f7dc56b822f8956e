import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import type { FileAction } from '#builder/files'
import { makeNode, setXattr } from '#builder/linux'
import { copy, type Listing, NOW, workspace } from './fixture.ts'

interface Case {
  readonly name: string
  readonly root?: Listing
  readonly source: Listing
  readonly actions: readonly FileAction[]
  readonly changes: Listing
}

/** The decision table: a file or a directory, to a destination that is or is not there. */
const CASES: readonly Case[] = [
  {
    name: 'a file to nothing',
    source: ['f =text'],
    actions: [copy('f', '/x')],
    changes: ['x 0644 0:0 =text'],
  },
  {
    name: 'a file over a file',
    root: ['x 0600 1:1 =old'],
    source: ['f =text'],
    actions: [copy('f', '/x')],
    changes: ['x 0644 0:0 =text'],
  },
  {
    name: 'a file to a link: its target is replaced',
    root: ['d/', 'd/real =old', 'x -> d/real'],
    source: ['f =text'],
    actions: [copy('f', '/x')],
    changes: ['d/ 0755 0:0', 'd/real 0644 0:0 =text'],
  },
  {
    name: 'a file to a link that leads nowhere: its target is made',
    root: ['x -> /d/real'],
    source: ['f =text'],
    actions: [copy('f', '/x')],
    changes: ['d/ 0755 0:0', 'd/real 0644 0:0 =text'],
  },
  {
    name: 'a file to a directory',
    root: ['x/ 0700 1:2'],
    source: ['f =text'],
    actions: [copy('f', '/x')],
    changes: ['x/ 0700 1:2', 'x/f 0644 0:0 =text'],
  },
  {
    name: 'a file into a directory where a link has its name: the link is replaced',
    root: ['x/', 'x/f -> ../other', 'other'],
    source: ['f =text'],
    actions: [copy('f', '/x/')],
    changes: ['x/ 0755 0:0', 'x/f 0644 0:0 =text'],
  },
  {
    name: 'a file to a link to a directory',
    root: ['d/', 'x -> d'],
    source: ['f =text'],
    actions: [copy('f', '/x')],
    changes: ['d/ 0755 0:0', 'd/f 0644 0:0 =text'],
  },
  {
    name: 'a file to nothing, with a slash',
    source: ['f =text'],
    actions: [copy('f', '/x/')],
    changes: ['x/ 0755 0:0', 'x/f 0644 0:0 =text'],
  },
  {
    name: 'a file below parents that are not there',
    source: ['f =text'],
    actions: [copy('f', '/a/b/x')],
    changes: ['a/ 0755 0:0', 'a/b/ 0755 0:0', 'a/b/x 0644 0:0 =text'],
  },
  {
    name: 'a directory to nothing: made anew, not with its own mode and owner',
    source: ['d/ 0700 5:5', 'd/f 0600 6:7 =text', 'd/sub/ 0711 8:8'],
    actions: [copy('d', '/x')],
    changes: ['x/ 0755 0:0', 'x/f 0600 6:7 =text', 'x/sub/ 0711 8:8'],
  },
  {
    name: 'a directory to a directory: merged, its content replaces, the top keeps its own',
    root: ['x/ 0711 1:1', 'x/f =old', 'x/kept', 'x/sub/ 0755 0:0', 'x/sub/kept'],
    source: ['d/ 0700 5:5', 'd/f =text', 'd/sub/ 0700 3:4', 'd/sub/new =new'],
    actions: [copy('d', '/x')],
    changes: ['x/ 0711 1:1', 'x/f 0644 0:0 =text', 'x/sub/ 0700 3:4', 'x/sub/new 0644 0:0 =new'],
  },
  {
    name: 'everything into the root',
    root: ['etc/ 0755 0:0', 'etc/kept'],
    source: ['etc/ 0750 0:0', 'etc/new =new', 'top =top'],
    actions: [copy('.', '/')],
    changes: ['etc/ 0750 0:0', 'etc/new 0644 0:0 =new', 'top 0644 0:0 =top'],
  },
  {
    name: 'a destination below a link in the root, absolute or not',
    root: ['usr/', 'usr/lib/', 'lib -> usr/lib', 'abs -> /usr'],
    source: ['f =text'],
    actions: [copy('f', '/lib/f'), copy('f', '/abs/g')],
    changes: [
      'usr/ 0755 0:0',
      'usr/g 0644 0:0 =text',
      'usr/lib/ 0755 0:0',
      'usr/lib/f 0644 0:0 =text',
    ],
  },
  {
    name: 'links: followed when selected, kept below a directory',
    source: ['real/', 'real/f =text', 'real/l -> f', 'dir -> real', 'file -> dir/l'],
    actions: [copy('dir', '/a'), copy('file', '/b/')],
    changes: [
      'a/ 0755 0:0',
      'a/f 0644 0:0 =text',
      'a/l 0:0 -> f',
      'b/ 0755 0:0',
      'b/file 0644 0:0 =text',
    ],
  },
  {
    name: 'links that lead out of the source stay inside of it',
    source: ['etc/', 'etc/passwd =mine', 'l -> ../../../../etc/passwd', 'm -> /etc'],
    actions: [copy('l', '/a'), copy('m', '/b'), copy('../../etc/passwd', '/c')],
    changes: ['a 0644 0:0 =mine', 'b/ 0755 0:0', 'b/passwd 0644 0:0 =mine', 'c 0644 0:0 =mine'],
  },
  {
    name: 'several sources to one file name: the last one wins',
    source: ['f =one', 'g =two'],
    actions: [copy(['f', 'g'], '/x')],
    changes: ['x 0644 0:0 =two'],
  },
  {
    name: 'hard links within one source path, not across two',
    source: ['d/', 'd/a =text', 'd/b => d/a', 'c => d/a'],
    actions: [copy(['d', 'c', 'd/a'], '/x/')],
    changes: ['x/ 0755 0:0', 'x/a 0644 0:0 =text', 'x/b 0644 0:0 =text', 'x/c 0644 0:0 =text'],
  },
  {
    name: 'hard links of which one name is the content',
    source: ['d/', 'd/a 04755 1:1 =text', 'd/b => d/a'],
    actions: [copy('d', '/x')],
    changes: ['x/ 0755 0:0', 'x/a 04755 1:1 =text', 'x/b => x/a'],
  },
  {
    name: 'special bits',
    source: ['d/', 'd/s 06755 1:1 =text', 'd/t/ 01777 1:1'],
    actions: [copy('d', '/x', { owner: { user: '7' } })],
    changes: ['x/ 0755 7:7', 'x/s 06755 7:7 =text', 'x/t/ 01777 7:7'],
  },
  {
    name: '--chown and octal --chmod, also on directories made on the way, not on links',
    source: ['d/', 'd/f 0600 1:1 =text', 'd/l -> f'],
    actions: [copy('d', '/x/y', { owner: { user: '3', group: '4' }, chmod: '0750' })],
    changes: ['x/ 0750 3:4', 'x/y/ 0750 3:4', 'x/y/f 0750 3:4 =text', 'x/y/l 3:4 -> f'],
  },
  {
    name: 'symbolic --chmod, relative to each mode',
    source: ['d/', 'd/f 0600 =text', 'd/p 0700 =text', 'd/sub/ 0700'],
    actions: [copy('d', '/x', { chmod: 'u=rwX,go=rX' })],
    changes: ['x/ 0755 0:0', 'x/f 0644 0:0 =text', 'x/p 0755 0:0 =text', 'x/sub/ 0755 0:0'],
  },
  {
    name: 'a heredoc to a name and into a directory, after paths',
    source: ['f =text'],
    actions: [
      copy('f', '/x/'),
      { kind: 'write', name: 'EOF', data: 'body\n', destination: '/x/' },
      {
        kind: 'write',
        name: 'EOF',
        data: 'ä',
        destination: '/y/name',
        owner: { user: '9' },
        chmod: '0700',
      },
    ],
    changes: [
      'x/ 0755 0:0',
      'x/EOF 0644 0:0 =body\n',
      'x/f 0644 0:0 =text',
      'y/ 0700 9:9',
      'y/name 0700 9:9 =ä',
    ],
  },
  {
    name: 'WORKDIR: only what is new gets the owner',
    root: ['a/ 0711 1:1'],
    source: [],
    actions: [{ kind: 'mkdir', path: '/a/b/c', mode: 0o755, owner: { user: '5' } }],
    changes: ['a/ 0711 1:1', 'a/b/ 0755 5:5', 'a/b/c/ 0755 5:5'],
  },
  {
    name: 'WORKDIR that is there: nothing, for any user',
    root: ['a/', 'l -> a'],
    source: [],
    actions: [
      { kind: 'mkdir', path: '/a', mode: 0o755, owner: { user: 'unknown-user' } },
      { kind: 'mkdir', path: '/l', mode: 0o755 },
      { kind: 'mkdir', path: '/', mode: 0o755 },
    ],
    changes: [],
  },
]

describe('COPY, row by row', () => {
  for (const { name, actions, changes, ...files } of CASES) {
    it(name, async () => {
      using space = workspace(files)
      assert.deepEqual(await space.show(actions), changes)
    })
  }

  it('keeps times: of files, of directories and of an existing top', async () => {
    using space = workspace({ root: ['x/'], source: ['d/', 'd/f', 'd/sub/'] })
    using result = await space.run([copy('d', '/x'), copy('d', '/new/deep')])
    const times = [...result.changes].map((change) =>
      change.kind === 'entry' ? [change.path, change.stat.mtimeMs] : [],
    )
    const kept = 1_600_000_000_000
    assert.deepEqual(times, [
      ['new', NOW],
      ['new/deep', kept],
      ['new/deep/f', kept],
      ['new/deep/sub', kept],
      ['x', kept],
      ['x/f', kept],
      ['x/sub', kept],
    ])
  })

  it('copies devices and FIFOs, and makes empty files of sockets', async () => {
    using space = workspace({ source: ['d/'] })
    const script = 'mkfifo -m 600 p; mknod -m 640 n c 1 3; mknod -m 600 b b 7 300'
    execFileSync('sh', ['-ec', script], { cwd: space.directory.file('source/d') })
    makeNode(space.directory.file('source/d/s'), 'socket', { mode: 0o4751 })
    assert.deepEqual(await space.show([copy('d', '/x')]), [
      'x/ 0755 0:0',
      'x/b 0600 0:0 block 7:300',
      'x/n 0640 0:0 character 1:3',
      'x/p 0600 0:0 fifo 0:0',
      'x/s 04751 0:0 =',
    ])
    const owner = { user: '3', group: '4' }
    const actions = [
      copy('d/s', '/one'),
      copy('d/s', '/in/', { unpack: 'auto' }),
      copy('d/[s]', '/set', { owner, chmod: '0600' }),
    ]
    assert.deepEqual(await space.show(actions), [
      'in/ 0755 0:0',
      'in/s 04751 0:0 =',
      'one 04751 0:0 =',
      'set 0600 3:4 =',
    ])
    assert.deepEqual(space.warnings, [])
  })

  it('keeps capabilities of programs of any owner', async () => {
    using space = workspace({ source: ['f 0755'] })
    const value = Buffer.from('0100000200200000000000000000000000000000', 'hex')
    setXattr(space.directory.file('source/f'), 'security.capability', value)
    using result = await space.run([copy('f', '/f', { owner: { user: '5' } })])
    const [change] = [...result.changes]
    assert.ok(change?.kind === 'entry')
    assert.deepEqual([...(change.xattrs ?? [])], [['security.capability', value]])
  })

  it('copies trees that are deeper than a path can be long', async function () {
    this.timeout(30_000)
    using space = workspace({})
    const hundred = Array.from({ length: 100 }, () => 'directory').join('/')
    const script = `for i in 1 2 3 4 5 6 7 8 9 10; do mkdir -p ${hundred}; cd -P ${hundred}; done; echo x > f`
    execFileSync('sh', ['-ec', script], { cwd: space.directory.file('source') })
    const changes = await space.show([copy('.', '/x')])
    assert.equal(changes.length, 1002)
    assert.ok(changes.at(-1)?.endsWith('/directory/f 0644 0:0 =x\n'))
    execFileSync('rm', ['-rf', space.directory.file('source/directory')])
  })

  it('refuses what would be a whiteout', async () => {
    using space = workspace({ source: ['d/', 'd/.wh.x', 'e/'] })
    execFileSync('mknod', [space.directory.file('source/e/dev'), 'c', '0', '0'])
    await assert.rejects(space.show([copy('d', '/x')]), { code: 'UNSUPPORTED' })
    await assert.rejects(space.show([copy('e', '/x')]), { code: 'UNSUPPORTED' })
  })
})

describe('COPY that fails', () => {
  const failures: readonly (Omit<Case, 'changes'> & { readonly message: string })[] = [
    {
      name: 'a file to a file, with a slash',
      root: ['x'],
      source: ['f'],
      actions: [copy('f', '/x/')],
      message: 'mkdir /x: not a directory',
    },
    {
      name: 'a file to a name with a NUL',
      source: ['f'],
      actions: [copy('f', '/x\0y')],
      message: 'copy to "/x\\u0000y": a name with a NUL character',
    },
    {
      name: 'a directory to a name with a NUL',
      source: ['d/', 'd/f'],
      actions: [copy('d', '/x\0y')],
      message: 'copy to "/x\\u0000y": a name with a NUL character',
    },
    {
      name: 'a file below a file',
      root: ['x'],
      source: ['f'],
      actions: [copy('f', '/x/y')],
      message: 'mkdir /x: not a directory',
    },
    {
      name: 'a directory to a file',
      root: ['x'],
      source: ['d/', 'd/f'],
      actions: [copy('d', '/x')],
      message: 'cannot copy to non-directory: /x',
    },
    {
      name: 'a directory in a directory to a file or a link',
      root: ['x/', 'x/sub -> .'],
      source: ['d/', 'd/sub/'],
      actions: [copy('d', '/x')],
      message: 'cannot copy to non-directory: /x/sub',
    },
    {
      name: 'a file in a directory to a directory',
      root: ['x/', 'x/f/'],
      source: ['d/', 'd/f'],
      actions: [copy('d', '/x')],
      message: 'cannot replace to directory /x/f with file',
    },
    {
      name: 'a file to a directory that has one of its name',
      root: ['x/', 'x/f/'],
      source: ['f'],
      actions: [copy('f', '/x')],
      message: 'cannot replace to directory /x/f with file',
    },
    {
      name: 'WORKDIR that is a file',
      root: ['x'],
      source: [],
      actions: [{ kind: 'mkdir', path: '/x/y', mode: 0o755 }],
      message: 'mkdir /x: not a directory',
    },
  ]
  for (const { name, actions, message, ...files } of failures) {
    it(name, async () => {
      using space = workspace(files)
      await assert.rejects(space.show(actions), { code: 'STEP_FAILED', message })
    })
  }

  it('reports where a link is in the way', async () => {
    const root = ['bin -> usr/bin', 'usr/', 'usr/bin/', 'gone -> nowhere', 'lib/']
    using space = workspace({
      root,
      source: ['r/', 'r/bin/', 'r/bin/x', 's/', 's/gone/', 's/gone/y', 't/', 't/lib -> usr'],
    })
    const hints = {
      r: '/bin is a symbolic link to usr/bin in the image: put what is copied there into /usr/bin instead',
      s: '/gone is a symbolic link to nowhere in the image',
      t: '/lib is a symbolic link in the source, and a directory in the image',
    }
    for (const [path, hint] of Object.entries(hints)) {
      for (const actions of [[copy(path, '/')], [copy([path, path], '/')]]) {
        await assert.rejects(space.show(actions), { code: 'STEP_FAILED', hint })
      }
    }
  })

  it('reports what is missing, and a suggestion', async () => {
    using space = workspace({ source: ['src/', 'src/main.c', 'src/main.h', 'README'] })
    const missing = (message: string, hint: RegExp) => ({ code: 'NOT_FOUND', message, hint })
    await assert.rejects(
      space.run([copy('srx', '/x')]),
      missing('"/srx": not found', /^did you mean \/src\?$/),
    )
    await assert.rejects(
      space.run([copy('src/other', '/x')]),
      missing('"/src/other": not found', /^in \/src there is: main\.c, main\.h; /),
    )
    await assert.rejects(
      space.run([copy('lib/a/b', '/x')]),
      missing('"/lib/a/b": not found', /^there is no \/lib\/a; /),
    )
  })

  it('reports where a dangling link was', async () => {
    using space = workspace({ source: ['l -> gone'] })
    await assert.rejects(space.run([copy('l', '/x')]), {
      code: 'NOT_FOUND',
      message: '"/l": not found',
    })
  })
})
