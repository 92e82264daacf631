// An OpenID provider (the certified `oidc-provider` package) for the lab.
//
//   node openid_provider.mjs SETTINGS.json
//
// settings: package (its entry point), issuer, host, port, cert, key (files), clients, accounts (a file), skew (seconds).
// The accounts are read anew for each question: who is taken out of the file is gone, who is changed there is changed.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { pathToFileURL } from 'node:url';

const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'));

if (settings.skew) {
  const now = Date.now;
  Date.now = () => now() + settings.skew * 1000;
}

const { default: Provider } = await import(pathToFileURL(settings.package));

const account = (id) => {
  const claims = JSON.parse(readFileSync(settings.accounts, 'utf8'))[id];
  return claims && { accountId: id, claims: () => ({ sub: id, ...claims }) };
};

const provider = new Provider(settings.issuer, {
  clients: settings.clients,
  findAccount: (ctx, id) => account(id),
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['name', 'preferred_username', 'picture'],
    groups: ['groups', 'realm_access'],
  },
  scopes: ['openid', 'offline_access', 'groups'],
  conformIdTokenClaims: false,
  // without the provider's own dispatcher, which reaches no private address, as the lab's are
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  // without offline_access they end with the browser's session
  issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
  features: {
    devInteractions: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    backchannelLogout: { enabled: true },
  },
  // cookies know no ports, and several providers may be on one machine
  cookies: {
    keys: ['lab'],
    names: Object.fromEntries(['session', 'interaction', 'resume'].map((name) => [name, `_${name}_${settings.port}`])),
  },
  ttl: { AccessToken: 300, IdToken: 300, RefreshToken: 86400, Interaction: 86400, Session: 86400, Grant: 86400 },
});

provider.on('backchannel.success', (ctx, client, id) => console.log(`told of the logout of ${id}`));
provider.on('backchannel.error', (ctx, error, client, id) => console.log(`the logout of ${id} cannot be told: ${error}`));

const tls = { cert: readFileSync(settings.cert), key: readFileSync(settings.key) };
createServer(tls, provider.callback()).listen(settings.port, settings.host, () => console.log('listening'));
