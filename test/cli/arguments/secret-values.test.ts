import assert from 'node:assert/strict'
import { parseSecrets, parseSsh } from '../../../cli/arguments/secret-values.ts'

const ENV = { TOKEN: 'from the environment', SSH_AUTH_SOCK: '/agent' }

describe('--secret', () => {
  for (const [value, source] of [
    ['id=a,src=/f', { file: '/f' }],
    ['id=a,source=f', { file: 'f' }],
    ['ID=a,"src=/f,1"', { file: '/f,1' }],
    ['id=a', { file: 'a' }],
    ['id=a,env=TOKEN', { value: ENV.TOKEN }],
    ['id=a,type=env,src=TOKEN', { value: ENV.TOKEN }],
    ['id=a,env=UNSET', { value: '' }],
    ['id=a,type=file,src=TOKEN', { file: 'TOKEN' }],
  ] as const) {
    it(`understands ${value}`, () => {
      assert.deepEqual(parseSecrets([value], ENV), { a: source })
    })
  }

  it('without a source is a variable or a file, and the last one of an id counts', () => {
    assert.deepEqual(parseSecrets(['id=TOKEN'], ENV), { TOKEN: { value: ENV.TOKEN } })
    assert.deepEqual(parseSecrets(['id=TOKEN,type=file'], ENV), { TOKEN: { file: 'TOKEN' } })
    assert.deepEqual(parseSecrets(['id=a,src=1', 'id=a,src=2'], ENV), { a: { file: '2' } })
  })

  for (const [value, message] of [
    ['src=/f', '--secret "src=/f" has no id'],
    ['id', "invalid field 'id' must be a key=value pair"],
    ['id=a,scr=/f', "unexpected key 'scr' in 'scr=/f'"],
    ['id=a,type=memory', 'unsupported secret type "memory"'],
  ] as const) {
    it(`refuses ${value}`, () => {
      assert.throws(() => parseSecrets([value], ENV), { code: 'USAGE', message })
    })
  }
})

describe('--ssh', () => {
  it('is the agent of the environment, another one, or keys', () => {
    assert.deepEqual(parseSsh(['default', 'a=/s', 'b=/k1,/k2', 'c='], ENV), {
      ...{ default: ['/agent'], a: ['/s'], b: ['/k1', '/k2'], c: ['/agent'] },
    })
  })

  it('refuses an agent that is not there, and an id twice', () => {
    const message = 'invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set'
    assert.throws(() => parseSsh(['default'], {}), { code: 'USAGE', message })
    assert.throws(() => parseSsh(['a', 'a=/s'], ENV), /duplicate --ssh id "a"/)
  })
})
