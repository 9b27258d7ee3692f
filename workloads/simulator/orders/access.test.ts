import assert from 'node:assert/strict';
import { binanceProblem, exchangeProblem } from './access.ts';

const credentials = () => ({ key: 'k', secret: 's', passphrase: 'p' });
const ASKED = { method: 'GET', path: '/', body: '' };

describe('a signature of as many characters as the right one, and more bytes', () => {
  it('is a wrong one at Binance', () => {
    const search = `timestamp=1&signature=${'é'.repeat(64)}`;
    const asked = { ...ASKED, search, query: new URLSearchParams(search), headers: { 'x-mbx-apikey': 'k' } };
    assert.equal(binanceProblem(asked, credentials, 1), 'BadSignature');
  });
  it('is a wrong one at Coinbase Exchange', () => {
    const headers = {
      'cb-access-key': 'k',
      'cb-access-passphrase': 'p',
      'cb-access-timestamp': '1',
      'cb-access-sign': 'é'.repeat(44),
    };
    const asked = { ...ASKED, search: '', query: new URLSearchParams(), headers };
    assert.equal(exchangeProblem(asked, credentials, 1_000), 'invalid signature');
  });
});
