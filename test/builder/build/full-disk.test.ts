import assert from 'node:assert/strict'
import { ioError, TsbuildError } from '#core'
import { explainNoSpace } from '../../../builder/build/full-disk.ts'
import { temporaryDirectory } from '../../support/peers/index.ts'

describe('the hint of a full disk', () => {
  const hintOf = (code: string, root: string): string | undefined => {
    const failure = ioError('write x', Object.assign(new Error('x'), { code }))
    const explained = explainNoSpace(new Error('y', { cause: failure }), { root, outputs: [] })
    assert.ok(!(explained instanceof TsbuildError), 'a failure of another kind stays')
    const known = explainNoSpace(failure, { root, outputs: [] })
    assert.ok(known instanceof TsbuildError && known.code === 'NO_SPACE')
    return known.hint
  }

  it('names the file system, or the quota, which no file system tells', () => {
    using directory = temporaryDirectory('hint')
    assert.match(hintOf('ENOSPC', directory.path) ?? '', /^of .* on the file system of .* are free/)
    const quota = hintOf('EDQUOT', directory.path) ?? ''
    assert.match(quota, /^the quota of this user, or of the folder, is used up/)
    assert.doesNotMatch(quota, /are free/)
  })
})
