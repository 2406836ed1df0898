import { describe, expect, it } from 'vitest';
import { serverRule } from '../../test/e2e/stand.ts';
import { clientUri, resourceAddress } from './resource-uris.ts';

const servers = new Map(['docs', 'files'].map((name) => [name, serverRule(name, { url: 'https://x.example' })]));

describe('URIs of resources', () => {
  it.each(['test://a/b?c#d', 'file:///w/x y', 'sallyport.docs:test://a', 'a\nb:c'])(
    '%j comes back as it was',
    (uri) => {
      const given = clientUri({ name: 'docs', expose: 'prefixed' }, uri);
      expect(resourceAddress(servers, given)).toEqual({ server: 'docs', uri });
    },
  );

  it.each(['test://a', 'sallyport.other:test://a', 'sallyport.docs', 'SALLYPORT.docs:x', ''])(
    '%j is nobody’s',
    (uri) => {
      expect(resourceAddress(servers, uri)).toBeNull();
    },
  );

  it('stay as they are where one server stands alone', () => {
    const alone = new Map([['s', serverRule('s', { url: 'https://x.example', expose: 'as-is' })]]);
    expect(clientUri({ name: 's', expose: 'as-is' }, 'test://a')).toBe('test://a');
    expect(resourceAddress(alone, 'test://a')).toEqual({ server: 's', uri: 'test://a' });
    expect(resourceAddress(alone, 'sallyport.s:test://a')).toEqual({ server: 's', uri: 'sallyport.s:test://a' });
  });
});
