import * as fc from 'fast-check'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { clientIp, normalizeIp } from '../../src/http/client-ip.ts'

const app = new Hono().get('/', (c) => c.text(clientIp(c)))
const seenAs = async (headers: Record<string, string>) =>
  (await app.request('/', { headers })).text()

describe("F3: the client's IP", () => {
  it('is what the edge says', async () => {
    expect(await seenAs({ 'CF-Connecting-IP': '203.0.113.7' })).toBe('203.0.113.7')
    expect(await seenAs({ 'CF-Connecting-IP': '2001:db8:1:2:3:4:5:6' })).toBe('2001:db8:1:2::/64')
  })

  it.each([
    'X-Forwarded-For',
    'X-Real-IP',
    'Forwarded',
    'True-Client-IP',
    'X-Client-IP',
    'CF-Connecting-IPv6',
  ])('is never what the client says of itself in %s', async (name) => {
    expect(await seenAs({ [name]: '198.51.100.1' })).toBe('unknown')
    expect(await seenAs({ [name]: '198.51.100.1', 'CF-Connecting-IP': '203.0.113.7' })).toBe(
      '203.0.113.7',
    )
  })

  it('is unknown where there is no edge', async () => {
    expect(await seenAs({})).toBe('unknown')
  })
})

describe('the form that an IP is counted under', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    [' 203.0.113.7 ', '203.0.113.7'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:1::', '2001:db8:1:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1::8', '1:0:0:0::/64'],
    ['1:2:3:4::8', '1:2:3:4::/64'],
    ['fe80::1:2:3:4', 'fe80:0:0:0::/64'],
    ['64:ff9b::203.0.113.7', '64:ff9b:0:0::/64'],
  ])('of %j is %j', (ip, form) => {
    expect(normalizeIp(ip)).toBe(form)
  })

  it.each([
    '2001:db8:0:2:0:0:0:1',
    '2001:DB8:0:2::1',
    '2001:0db8:0000:0002:0000:0000:0000:0001',
    '2001:db8::2:0:0:0:1',
    '2001:db8:0:2::0.0.0.1',
    ' 2001:db8:0:2:ffff:ffff:ffff:ffff ',
  ])('F3: is one for every address of a /64 in every spelling: %j', (ip) => {
    expect(normalizeIp(ip)).toBe('2001:db8:0:2::/64')
  })

  it('keeps two /64 apart', () => {
    expect(normalizeIp('2001:db8:0:2::1')).not.toBe(normalizeIp('2001:db8:0:3::1'))
  })

  it.each(['::ffff:cb00:7107', '0:0:0:0:0:ffff:203.0.113.7', '0:0::FFFF:CB00:7107'])(
    'of an IPv4 inside IPv6 is the IPv4, in every spelling: %j',
    (ip) => {
      expect(normalizeIp(ip)).toBe('203.0.113.7')
    },
  )

  it.each([
    '',
    ' ',
    'unknown',
    'localhost',
    '203.0.113',
    '203.0.113.7.1',
    '203.0.113.7:80',
    '203.0.113.7, 198.51.100.1',
    '256.0.0.1',
    '999.999.999.999',
    '[::1]',
    '::1]',
    '::1]/x',
    '::1%eth0',
    ':::',
    '1::2::3',
    '12345::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '2001:db8::/64',
  ])('of what is no IP is unknown: %j', (ip) => {
    expect(normalizeIp(ip)).toBe('unknown')
  })

  it('of any IPv6 is its first four groups', () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16))
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        fc.pre(groups.slice(0, 5).some((one) => one !== '0'))
        expect(normalizeIp(groups.join(':'))).toBe(`${groups.slice(0, 4).join(':')}::/64`)
      }),
    )
  })

  it('of any IPv6 is one however it is spelled', () => {
    fc.assert(
      fc.property(fc.ipV6(), (ip) => {
        const printed = new URL(`http://[${ip}]/`).hostname.slice(1, -1)
        expect(normalizeIp(ip)).toBe(normalizeIp(printed))
        expect(normalizeIp(ip)).not.toBe('unknown')
      }),
    )
  })

  it('of any text is an IPv4, a /64 or unknown', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (text) => {
        expect(normalizeIp(text)).toMatch(/^(unknown|[\d.]{7,15}|([\da-f]{1,4}:){4}:\/64)$/)
      }),
    )
  })
})
