import assert from 'node:assert/strict'
import { closeSync, mkdirSync, readFileSync } from 'node:fs'
import { changesOf, stackTree } from '#builder/layer'
import { inOverlay, isRoot, temporary } from '../support/files.ts'

describe('the changes of a step', () => {
  const files = temporary()
  let base: string

  before(function () {
    if (!isRoot) this.skip()
    base = files.fresh()
    mkdirSync(base)
    const [upper, work] = [files.fresh(), files.fresh()]
    for (const path of [upper, work]) mkdirSync(path)
    const script =
      'mkdir -p etc usr/lib tmp d/sub; echo 1 > etc/f; echo 2 > usr/lib/g; ln usr/lib/g usr/lib/h; echo 3 > d/x; echo 4 > d/sub/y; touch d/z'
    inOverlay(script, { lowers: [base], upper, work })
    base = upper
  })

  function changesAfter(script: string, withLower = true): string[] {
    const [upper, work] = [files.fresh(), files.fresh()]
    for (const path of [upper, work]) mkdirSync(path)
    inOverlay(script, { lowers: [base], upper, work })
    const lower = withLower ? stackTree([base]) : undefined
    try {
      const options = lower === undefined ? {} : { lower }
      return [...changesOf(upper, options)].map((change) => {
        if (change.kind !== 'entry') return `${change.kind} ${change.path}`
        const { path, stat, hardlink, xattrs } = change
        const more = hardlink === undefined ? [...(xattrs?.keys() ?? [])].join() : `= ${hardlink}`
        return `${stat.type} ${path} ${more}`.trim()
      })
    } finally {
      lower?.close()
    }
  }

  it('are none when nothing was changed', () => {
    assert.deepEqual(changesAfter('true'), [])
    assert.deepEqual(
      changesAfter('echo x > tmp/t; rm tmp/t; mkdir usr/q; rmdir usr/q; ( : <> etc/f )'),
      [],
    )
    assert.deepEqual(changesAfter('chmod 600 etc/f; chmod 644 etc/f'), [])
  })

  it('are yielded with their parents, and nothing else', () => {
    assert.deepEqual(changesAfter('echo x > usr/lib/new; touch tmp/t; rm tmp/t'), [
      'directory usr',
      'directory usr/lib',
      'file usr/lib/new',
    ])
    assert.deepEqual(changesAfter('chmod 1777 tmp'), ['directory tmp'])
  })

  it('include content of equal size and time, and attributes alone', () => {
    assert.deepEqual(
      changesAfter('cp -p etc/f /tmp/f.$$; echo 9 > etc/f; touch -r /tmp/f.$$ etc/f; rm /tmp/f.$$'),
      ['directory etc', 'file etc/f'],
    )
    assert.deepEqual(changesAfter('chown 1:1 etc/f'), ['directory etc', 'file etc/f'])
    assert.deepEqual(
      changesAfter(
        "setcap cap_net_raw=ep etc/f || python3 -c \"import os; os.setxattr('etc/f', 'security.capability', bytes.fromhex('0100000200200000000000000000000000000000'))\"",
      ),
      ['directory etc', 'file etc/f security.capability'],
    )
  })

  it('delete what is below, and only that', () => {
    assert.deepEqual(changesAfter('rm -r d/sub d/x; echo > d/new; rm d/new'), [
      'directory d',
      'whiteout d/sub',
      'whiteout d/x',
    ])
    assert.deepEqual(changesAfter('rm -r d'), ['whiteout d'])
  })

  it('name what a directory made anew hides', () => {
    assert.deepEqual(changesAfter('rm -r d; mkdir -p d/sub; echo > d/z'), [
      'directory d',
      'directory d/sub',
      'whiteout d/sub/y',
      'whiteout d/x',
      'file d/z',
    ])
    assert.deepEqual(changesAfter('mkdir -p new/dir'), ['directory new', 'directory new/dir'])
  })

  it('mark it opaque where the layers below are not known', () => {
    assert.deepEqual(changesAfter('rm -r d; mkdir d; echo > d/z', false), [
      'directory d',
      'opaque d',
      'file d/z',
    ])
  })

  it('keep hard links together', () => {
    assert.deepEqual(changesAfter('echo x > etc/n; ln etc/n d/m; ln etc/n tmp/o'), [
      'directory d',
      'file d/m',
      'directory etc',
      'file etc/n = d/m',
      'directory tmp',
      'file tmp/o = d/m',
    ])
  })

  it('are valid while they are iterated, and not after', () => {
    const [upper, work] = [files.fresh(), files.fresh()]
    for (const path of [upper, work]) mkdirSync(path)
    inOverlay('echo hello > a', { lowers: [base], upper, work })
    const opened = Array.from(changesOf(upper), (change) => {
      assert(change.kind === 'entry' && change.open !== undefined)
      const fd = change.open()
      assert.equal(readFileSync(fd, 'utf8'), 'hello\n')
      closeSync(fd)
      return change.open
    })
    assert.equal(opened.length, 1)
    assert.throws(() => opened[0]?.(), /closed/)
  })
})
