// A provider for tests: the certified `oidc-provider`, with accounts and clients from its first argument (JSON), on a free port.
// It tells its issuer in one line. `X-User` is who logs in; POST /sign signs what it is given with the provider's own key.
import { createServer } from 'node:http';
import { generateKeyPair, exportJWK, importJWK, SignJWT } from 'jose';
import { Provider } from 'oidc-provider';

const { accounts, clients } = JSON.parse(process.argv[2]);
const changed = {}; // POST /accounts: what is told of somebody from now on; null: nobody there has this name any more
const { privateKey } = await generateKeyPair('RS256', { extractable: true });
const key = { ...(await exportJWK(privateKey)), kid: 'one', alg: 'RS256', use: 'sig' };
const server = createServer();
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients,
  jwks: { keys: [key] },
  cookies: { keys: ['test'] },
  conformIdTokenClaims: false,
  scopes: ['openid', 'profile', 'email', 'offline_access'],
  claims: { openid: ['sub', 'sid', 'groups', 'email', 'email_verified', 'preferred_username'] },
  findAccount: (_, id) => changed[id] === null ? undefined : ({ accountId: id, claims: () => ({ sub: id, ...accounts[id], ...changed[id] }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  features: { devInteractions: { enabled: false }, deviceFlow: { enabled: true }, revocation: { enabled: true } },
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope('openid profile email offline_access');
    await grant.save();
    return grant;
  },
});
provider.on('server_error', (_, error) => console.error(error));

const read = async (req) => { const parts = []; for await (const part of req) parts.push(part); return JSON.parse(Buffer.concat(parts)); };
const handle = provider.callback();
server.on('request', async (req, res) => {
  if (req.url.startsWith('/interaction/')) {
    const who = req.headers['x-user'];
    const result = who ? { login: { accountId: who }, consent: {} } : { error: 'access_denied' };
    return provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
  }
  if (req.url === '/accounts') {
    Object.assign(changed, await read(req));
    return res.end();
  }
  if (req.url === '/sign') {
    const { header, claims } = await read(req);
    const token = await new SignJWT({ iss: issuer, ...claims }).setProtectedHeader({ alg: 'RS256', kid: 'one', ...header }).sign(await importJWK(key, 'RS256'));
    return res.end(token);
  }
  return handle(req, res);
});
console.log(JSON.stringify({ issuer }));
process.stdin.on('end', () => process.exit(0)).resume(); // ends with whoever started it
