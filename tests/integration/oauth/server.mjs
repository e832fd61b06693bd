// An OAuth and OpenID Connect server that shares nothing with Mailbearer: the npm package oidc-provider,
// over TLS on a random loopback port. Started by ../provider.py with one JSON argument:
//   {module, chain, client, app, secret, robot, certificate, judge, judge_secret}
// Standard output: one JSON object a line: {issuer} when it listens, {issued, kind} for every credential that it
// gives out, {granted, client, method} for every token request that it honours, {refused, ...} for the others,
// {withdrawn} for a grant that its client gave back, {revoked} as the answer to the line "revoke" on standard input, which ends every grant of a person.
// It ends with its standard input.

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const wanted = JSON.parse(process.argv[2]);
const { default: Provider } = await import(pathToFileURL(wanted.module).href);

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

// What the administrator of an application uploads: the certificate, not the key.
function publicKey(file) {
  const { publicKey: key } = new X509Certificate(readFileSync(file));
  return { ...key.export({ format: 'jwk' }), use: 'sig', alg: 'PS256' };
}

const application = (client_id, more) => ({
  client_id, grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope: 'smtp', ...more,
});

const configuration = {
  clients: [
    {
      client_id: wanted.client,
      application_type: 'native', // RFC 8252 7.3: a loopback redirect with any port
      token_endpoint_auth_method: 'none',
      redirect_uris: ['http://localhost'],
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    },
    application(wanted.app, { client_secret: wanted.secret, token_endpoint_auth_method: 'client_secret_post' }),
    application(wanted.robot, {
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'PS256',
      jwks: { keys: [publicKey(wanted.certificate)] },
    }),
    application(wanted.judge, { client_secret: wanted.judge_secret, token_endpoint_auth_method: 'client_secret_post' }),
  ],
  scopes: ['openid', 'offline_access', 'email', 'smtp'],
  claims: { openid: ['sub'], email: ['email'] },
  conformIdTokenClaims: false, // the address stands in the ID token itself, as at the big providers
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: id }) }),
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
  pkce: { methods: ['S256'], required: () => true },
  rotateRefreshToken: true,
  cookies: { keys: ['only for this run'] },
};

const server = createServer({ cert: readFileSync(wanted.chain), key: readFileSync(wanted.chain) });
await new Promise((listening) => { server.listen(0, '127.0.0.1', listening); });
const issuer = `https://localhost:${server.address().port}`;
const provider = new Provider(issuer, configuration);
server.on('request', provider.callback());

const grants = new Set();
for (const kind of ['access_token', 'refresh_token', 'client_credentials', 'authorization_code', 'device_code']) {
  provider.on(`${kind}.saved`, (token) => {
    say({ issued: token.jti, kind });
    if (token.grantId) grants.add(token.grantId);
  });
}
provider.on('grant.success', ({ oidc }) => {
  say({ granted: oidc.params.grant_type, client: oidc.client.clientId, method: oidc.client.tokenEndpointAuthMethod });
});
provider.on('grant.revoked', () => say({ withdrawn: true })); // RFC 7009, asked for by a client
for (const event of ['grant.error', 'authorization.error', 'introspection.error', 'revocation.error', 'server_error',
  'code_verification.error', 'device_authorization.error', 'interaction.error']) {
  provider.on(event, (ctx, error) => say({ refused: event, why: `${error.message}: ${error.error_description} ${error.error_detail ?? ''}` }));
}

async function revoke() {
  for (const id of grants) {
    await provider.RefreshToken.revokeByGrantId(id);
    await provider.AccessToken.revokeByGrantId(id);
    await (await provider.Grant.find(id))?.destroy();
  }
  say({ revoked: grants.size });
  grants.clear();
}
const commands = createInterface({ input: process.stdin });
commands.on('line', (line) => { if (line === 'revoke') revoke(); });
commands.on('close', () => process.exit(0));

say({ issuer });
