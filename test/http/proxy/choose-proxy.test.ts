import assert from 'node:assert/strict'
import { chooseProxy } from '../../../http/proxy/choose-proxy.ts'

/** The proxy for a URL as `host:port`, or nothing. */
function chosen(url: string, environment: Record<string, string>): string | undefined {
  const proxy = chooseProxy(new URL(url), environment)
  return proxy === undefined ? undefined : `${proxy.host}:${proxy.port}`
}

describe('the proxy for a URL', () => {
  it('is that of its protocol, in capitals first, and ALL_PROXY last', () => {
    const environment = {
      HTTP_PROXY: 'http://a:1',
      http_proxy: 'http://b:1',
      HTTPS_PROXY: '',
      https_proxy: 'http://c:1',
      ALL_PROXY: 'http://d:1',
    }
    assert.equal(chosen('http://x.test/', environment), 'a:1')
    assert.equal(chosen('https://x.test/', environment), 'c:1')
    assert.equal(chosen('https://x.test/', { ALL_PROXY: 'd:1', HTTP_PROXY: 'a:1' }), 'd:1')
    assert.equal(chosen('http://x.test/', { HTTPS_PROXY: 'c:1' }), undefined)
    assert.equal(chosen('http://x.test/', {}), undefined)
  })

  it('is not HTTP_PROXY in a CGI program', () => {
    const cgi = { HTTP_PROXY: 'a:1', REQUEST_METHOD: 'GET' }
    assert.equal(chosen('http://x.test/', cgi), undefined)
    assert.equal(chosen('http://x.test/', { ...cgi, http_proxy: 'b:1' }), 'b:1')
    assert.equal(chosen('https://x.test/', { HTTPS_PROXY: 'a:1', REQUEST_METHOD: 'GET' }), 'a:1')
  })

  it('is none for this machine', () => {
    for (const host of ['localhost', 'a.localhost', '127.0.0.1', '127.9.9.9', '[::1]']) {
      assert.equal(chosen(`http://${host}:5000/`, { ALL_PROXY: 'a:1' }), undefined, host)
    }
    assert.equal(chosen('http://10.0.0.1:5000/', { ALL_PROXY: 'a:1' }), 'a:1')
  })

  it('is read with its user, and named without', () => {
    const url = new URL('https://x.test/')
    const proxy = chooseProxy(url, { HTTPS_PROXY: 'https://me:p%40ss%3A@[fd00::1]' })
    assert.deepEqual(proxy && { ...proxy, authorities: [] }, {
      protocol: 'https:',
      authorities: [],
      host: 'fd00::1',
      port: 443,
      login: { user: 'me', password: 'p@ss:' },
      name: 'https://[fd00::1]:443 (HTTPS_PROXY)',
    })
    const ports = {
      'http://p': 80,
      'https://p:80': 80,
      'socks5://p': 1080,
      'socks5h://p:80/': 80,
      p: 80,
    }
    for (const [value, port] of Object.entries(ports)) {
      assert.equal(chosen('https://x.test/', { HTTPS_PROXY: value }), `p:${port}`, value)
    }
  })

  it('is an error that does not show the value when it is no URL', () => {
    for (const value of [
      'ftp://u:hush@p',
      'http://u:hush/x@p:1',
      'http://u:hush%@p',
      'http://',
      'p:hush',
      'http://u:1/hush@p',
    ]) {
      assert.throws(
        () => chosen('https://x.test/', { HTTPS_PROXY: value }),
        (error: Error & { code?: string; hint?: string }) => {
          assert.equal(error.code, 'CONFIG_INVALID')
          assert.equal(`${error.message} ${error.hint}`.includes('hush'), false)
          return true
        },
        value,
      )
    }
  })
})

/** `NO_PROXY`, hosts that it excepts, hosts that it does not. As Go's httpproxy decides. */
const EXCEPTIONS: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['*', ['x.test', '10.0.0.1', '[fd00::1]'], []],
  ['a.test, *', ['x.test'], []],
  ['corp.test', ['corp.test', 'a.corp.test', 'A.CORP.TEST'], ['acorp.test', 'corp.test.evil']],
  ['.corp.test', ['a.corp.test', 'b.a.corp.test'], ['corp.test', 'acorp.test']],
  ['*.corp.test', ['a.corp.test'], ['corp.test']],
  ['corp.test:5000', ['corp.test:5000', 'a.corp.test:5000'], ['corp.test', 'corp.test:5001']],
  ['corp.test:443', ['corp.test', 'corp.test:443'], ['corp.test:80']],
  ['10.0.0.1', ['10.0.0.1', '10.0.0.1:5000'], ['10.0.0.2', '10.0.0.10']],
  ['10.0.0.1:80', ['10.0.0.1:80'], ['10.0.0.1']],
  ['10.0.0.0/8', ['10.0.0.1', '10.255.0.1:99'], ['11.0.0.1', 'ten.test']],
  ['10.1.2.3/8', ['10.9.9.9'], ['11.0.0.1']],
  ['fd00::/8', ['[fd00::1]', '[fdff::1]'], ['[fe00::1]', '10.0.0.1']],
  ['[fd00::1]:80,fd00::2', ['[fd00::1]:80', '[fd00::2]'], ['[fd00::1]']],
  [' , ,.,:80,10.0.0.0/99', [], ['x.test', '10.0.0.1']],
]

describe('NO_PROXY', () => {
  for (const [value, excepted, others] of EXCEPTIONS) {
    it(`${JSON.stringify(value)} excepts ${excepted.join(', ') || 'nothing'}`, () => {
      const environment = { HTTPS_PROXY: 'p:1', no_proxy: value }
      for (const host of excepted)
        assert.equal(chosen(`https://${host}/`, environment), undefined, host)
      for (const host of others) assert.equal(chosen(`https://${host}/`, environment), 'p:1', host)
    })
  }
})
