import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { setXattr } from '#builder/linux'
import { directoryTree } from '#builder/tree'
import { joinName, type Name, nameOf, type ReadableTree, type Tree, textOfName } from '#core'
import { parseDockerignore } from '#parser'
import { temporaryDirectory } from '../../support/peers/index.ts'

const ROOT = '' as Name

function readText(tree: Tree, path: string): string {
  const descriptor = tree.openFile(nameOf(path))
  try {
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

describe('directory tree', () => {
  it('does not have the folder that is left out, nor anything in it', () => {
    using directory = temporaryDirectory('tree')
    for (const path of ['a/store/blobs/x', 'a/storeroom', 'b']) {
      mkdirSync(directory.file(path), { recursive: true })
    }
    writeFileSync(directory.file('a/store/blobs/x/file'), '')
    writeFileSync(directory.file('a/store/file'), '')
    symlinkSync('a/store', directory.file('link'))
    const tree = directoryTree(directory.path, { leftOut: directory.file('link') })
    assert.deepEqual(tree.readdir(ROOT), ['a', 'b', 'link'])
    assert.deepEqual(tree.readdir(nameOf('a')), ['storeroom'])
    assert.deepEqual(
      [...tree.readFiles(nameOf('a'))].map(({ name }) => name),
      ['storeroom'],
    )
    for (const path of ['', '/file', '/blobs', '/blobs/x', '/blobs/x/file']) {
      assert.equal(tree.lstat(nameOf(`a/store${path}`)), undefined, path)
    }
    assert.equal(tree.lstat(nameOf('link'))?.type, 'symlink')
    assert.equal(tree.lstat(nameOf('a/storeroom'))?.type, 'directory')
    tree.close()
    const missing = directoryTree(directory.path, { leftOut: directory.file('none') })
    assert.deepEqual(missing.readdir(nameOf('a')), ['store', 'storeroom'])
    missing.close()
  })

  it('gives type, mode, size, time and link text, and resets owners', () => {
    using directory = temporaryDirectory('tree')
    writeFileSync(directory.file('a'), 'hello')
    chownSync(directory.file('a'), 12, 34)
    chmodSync(directory.file('a'), 0o4751)
    utimesSync(directory.file('a'), 5, 1_600_000_000.5)
    symlinkSync('nowhere', directory.file('link'))
    mkdirSync(directory.file('sub'), 0o700)
    const tree = directoryTree(directory.path)
    assert.deepEqual(tree.readdir(ROOT), ['a', 'link', 'sub'])
    const { identity, ...stat } = tree.lstat(nameOf('a')) ?? assert.fail()
    assert.deepEqual(stat, {
      type: 'file',
      mode: 0o4751,
      uid: 0,
      gid: 0,
      size: 5,
      mtimeMs: 1_600_000_000_500,
      major: 0,
      minor: 0,
      inode: '',
      nlink: 1,
    })
    assert.equal(identity?.size, 5)
    assert.equal(tree.lstat(nameOf('link'))?.type, 'symlink')
    assert.equal(tree.readlink(nameOf('link')), 'nowhere')
    assert.equal(tree.lstat(nameOf('sub'))?.type, 'directory')
    assert.equal(tree.lstat(nameOf('sub'))?.size, 0)
    assert.equal(tree.lstat(ROOT)?.type, 'directory')
    assert.equal(readText(tree, 'a'), 'hello')
    tree.close()
  })

  it('keeps owners with the option', () => {
    using directory = temporaryDirectory('tree')
    writeFileSync(directory.file('a'), '')
    chownSync(directory.file('a'), 12, 34)
    const tree = directoryTree(directory.path, { owner: 'kept' })
    assert.deepEqual([tree.lstat(nameOf('a'))?.uid, tree.lstat(nameOf('a'))?.gid], [12, 34])
    tree.close()
  })

  it('reports which names are one file', () => {
    using directory = temporaryDirectory('tree')
    writeFileSync(directory.file('a'), '')
    linkSync(directory.file('a'), directory.file('b'))
    const tree = directoryTree(directory.path)
    const inode = tree.lstat(nameOf('a'))?.inode
    assert.ok(inode !== undefined && inode !== '')
    assert.equal(tree.lstat(nameOf('b'))?.inode, inode)
    assert.equal(tree.lstat(nameOf('b'))?.nlink, 2)
    tree.close()
  })

  it('reads capabilities', () => {
    using directory = temporaryDirectory('tree')
    writeFileSync(directory.file('a'), '')
    writeFileSync(directory.file('b'), '')
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')
    setXattr(directory.file('a'), 'security.capability', capability)
    const tree = directoryTree(directory.path)
    assert.deepEqual([...tree.xattrs(nameOf('a'))], [['security.capability', capability]])
    assert.equal(tree.xattrs(nameOf('b')).size, 0)
    tree.close()
  })

  it('follows a link at the root itself, once', () => {
    using directory = temporaryDirectory('tree')
    mkdirSync(directory.file('real'))
    writeFileSync(directory.file('real/f'), 'x')
    symlinkSync('real', directory.file('root'))
    const tree = directoryTree(directory.file('root'))
    assert.equal(readText(tree, 'f'), 'x')
    tree.close()
  })

  it('refuses a root that is missing or a file', () => {
    using directory = temporaryDirectory('tree')
    writeFileSync(directory.file('file'), '')
    const missing = directory.file('missing')
    assert.throws(() => directoryTree(missing), {
      code: 'CONTEXT_INVALID',
      message: `unable to prepare context: path "${missing}" not found`,
    })
    assert.throws(() => directoryTree(directory.file('file')), {
      code: 'CONTEXT_INVALID',
      message: /is not a directory$/,
    })
  })

  it('has no entry below a file, and lists directories only', () => {
    using directory = temporaryDirectory('tree')
    writeFileSync(directory.file('file'), '')
    const tree = directoryTree(directory.path)
    assert.equal(tree.lstat(nameOf('file/x')), undefined)
    assert.equal(tree.lstat(nameOf('nothing/x')), undefined)
    assert.equal(tree.lstat(nameOf('nothing')), undefined)
    assert.throws(() => tree.readdir(nameOf('file')), { code: 'NOT_FOUND' })
    assert.throws(() => tree.readdir(nameOf('nothing')), { code: 'NOT_FOUND' })
    tree.close()
  })

  it('keeps names as bytes: not UTF-8, 255 bytes, with a newline, sorted', () => {
    using directory = temporaryDirectory('tree')
    const odd = Buffer.from([0xff, 0xfe, 0x41])
    const long = 'ä'.repeat(127)
    writeFileSync(Buffer.concat([Buffer.from(`${directory.path}/`), odd]), 'odd')
    writeFileSync(directory.file(`${long}x`), 'long')
    writeFileSync(directory.file('new\nline'), 'line')
    const tree = directoryTree(directory.path)
    const names = tree.readdir(ROOT)
    assert.deepEqual(names, ['new\nline', nameOf(`${long}x`), odd.toString('latin1')])
    const contents = names.map((name) => readFileSync(tree.openFile(name), 'utf8'))
    assert.deepEqual(contents, ['line', 'long', 'odd'])
    assert.equal(names[1]?.length, 255)
    tree.close()
  })

  it('walks a tree that is deeper than a path can be long', function () {
    this.timeout(30_000)
    using directory = temporaryDirectory('tree')
    const hundred = Array.from({ length: 100 }, () => 'directory').join('/')
    const script = `for i in 1 2 3 4 5 6 7 8 9 10; do mkdir -p ${hundred}; cd -P ${hundred}; done; echo x > f`
    execFileSync('sh', ['-ec', script], { cwd: directory.path })
    const tree = directoryTree(directory.path)
    let path = ROOT
    let depth = 0
    for (;;) {
      const [name] = tree.readdir(path)
      if (name === undefined || name === 'f') break
      path = joinName(path, name)
      depth += 1
    }
    assert.equal(depth, 1000)
    assert.equal(readText(tree, `${path}/f`), 'x\n')
    // And back up, past what is kept open.
    for (let up = path; up !== ''; up = up.slice(0, Math.max(up.lastIndexOf('/'), 0)) as Name) {
      assert.equal(tree.lstat(up)?.type, 'directory')
    }
    tree.close()
    execFileSync('rm', ['-rf', directory.file('directory')])
  })

  it('never opens what could hold it: FIFOs, sockets, devices', async () => {
    using directory = temporaryDirectory('tree')
    execFileSync('mkfifo', [directory.file('fifo')])
    execFileSync('mknod', [directory.file('null'), 'c', '1', '3'])
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(directory.file('socket'), resolve))
    const tree = directoryTree(directory.path)
    const types = tree.readdir(ROOT).map((name) => tree.lstat(name)?.type)
    assert.deepEqual(types, ['fifo', 'character', 'socket'])
    const { major, minor } = tree.lstat(nameOf('null')) ?? assert.fail()
    assert.deepEqual([major, minor], [1, 3])
    for (const name of ['fifo', 'null', 'socket']) {
      assert.throws(() => tree.openFile(nameOf(name)), { code: 'IO_FAILED' })
    }
    tree.close()
    server.close()
  })

  it('names the file that it may not read', function () {
    using directory = temporaryDirectory('tree', 0o755)
    mkdirSync(directory.file('closed'))
    writeFileSync(directory.file('closed/f'), '')
    writeFileSync(directory.file('f'), '')
    chmodSync(directory.file('f'), 0)
    chmodSync(directory.file('closed'), 0)
    const { geteuid, seteuid } = process
    if (geteuid?.() !== 0 || seteuid === undefined) this.skip()
    const tree = directoryTree(directory.path)
    seteuid(65534)
    try {
      const denied = (what: string) => ({
        code: 'PERMISSION_DENIED',
        message: `${what}: permission denied`,
        hint: 'make it readable, or leave it out with .dockerignore',
      })
      assert.throws(() => tree.openFile(nameOf('f')), denied('open "f"'))
      assert.throws(() => tree.readdir(nameOf('closed')), denied('list "closed"'))
      assert.throws(() => tree.lstat(nameOf('closed/f')), denied('read "closed/f"'))
    } finally {
      seteuid(0)
      tree.close()
    }
  })

  describe('with its files opened as they come', () => {
    const openFiles = (): number => readdirSync('/proc/self/fd').length

    function listed(tree: ReadableTree): unknown[] {
      return [...tree.readFiles(ROOT)]
    }

    function fill(directory: { file(name: string): string }): void {
      for (const name of ['b', 'a', 'hidden', 'é']) writeFileSync(directory.file(name), name)
      symlinkSync('a', directory.file('link'))
      mkdirSync(directory.file('sub'))
      execFileSync('mkfifo', [directory.file('pipe')])
      execFileSync('mknod', [directory.file('device'), 'c', '1', '3'])
    }

    it('is what listing and looking say', () => {
      using directory = temporaryDirectory('tree')
      fill(directory)
      const tree = directoryTree(directory.path, { ignore: parseDockerignore('hidden') })
      const expected = tree.readdir(ROOT).map((name) => ({ name, stat: tree.lstat(name) }))
      assert.deepEqual(listed(tree), expected)
      assert.equal(expected.length, 7)
      tree.close()
    })

    it('is the same where the file system does not tell types', () => {
      using directory = temporaryDirectory('tree')
      const disk = directory.file('disk')
      const mounted = directory.file('mounted')
      mkdirSync(mounted)
      const make = 'truncate -s 4M "$0"; mkfs.ext4 -q -F -O ^filetype "$0"; mount -o loop "$0" "$1"'
      execFileSync('sh', ['-ec', make, disk, mounted])
      try {
        fill({ file: (name) => `${mounted}/${name}` })
        const tree = directoryTree(mounted)
        const expected = tree.readdir(ROOT).map((name) => ({ name, stat: tree.lstat(name) }))
        assert.deepEqual(listed(tree), expected)
        assert.equal(expected.length, 9)
        tree.close()
      } finally {
        execFileSync('sh', ['-c', 'umount "$0"', mounted])
      }
    })

    it('reads each of them, and leaves none open', () => {
      using directory = temporaryDirectory('tree')
      fill(directory)
      const before = openFiles()
      const tree = directoryTree(directory.path)
      const texts: string[] = []
      for (const { name, stat } of tree.readFiles(ROOT)) {
        if (stat.type === 'file' && name !== 'hidden') texts.push(readText(tree, textOfName(name)))
      }
      tree.close()
      assert.deepEqual(texts, ['a', 'b', 'é'])
      assert.equal(openFiles(), before)
    })

    it('does not follow a link that takes the place of a file', () => {
      using directory = temporaryDirectory('tree')
      writeFileSync(directory.file('a'), 'a')
      writeFileSync(directory.file('b'), 'b')
      const tree = directoryTree(directory.path)
      const types: string[] = []
      for (const { name, stat } of tree.readFiles(ROOT)) {
        types.push(`${name} ${stat.type}`)
        rmSync(directory.file('b'), { force: true })
        if (name === 'a') symlinkSync('/etc/passwd', directory.file('b'))
      }
      assert.deepEqual(types, ['a file', 'b symlink'])
      tree.close()
    })
  })
})
