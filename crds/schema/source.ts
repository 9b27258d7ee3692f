// A source of market data, and its options by type.
import { z } from 'zod';
import { DIALABLE, name, SYMBOL } from './field.ts';

const VENUE_SYMBOL = /^[A-Za-z0-9/_:.-]{1,40}$/;

const market = z.object({
  seed: z.int().min(0).max(2_147_483_647).meta({ description: 'The same seed gives the same market.' }).default(7),
  plantedAlphaBps: z
    .number()
    .min(0)
    .max(100)
    .meta({ description: 'Expected return at full pressure, bps over the horizon; 0 = noise.' })
    .default(25),
  alphaHorizonSeconds: z.int().min(1).max(3600).meta({ description: 'Horizon of the planted alpha.' }).default(60),
  pressureHalfLifeSeconds: z
    .number()
    .gt(0)
    .max(3600)
    .meta({ description: 'Half-life of the book pressure.' })
    .default(30),
  regimes: z
    .object({
      volatilityFactor: z
        .number()
        .min(1)
        .max(20)
        .meta({ description: 'Times the noise of prices and the number of trades while it is volatile.' })
        .default(4),
      calmSeconds: z.int().min(1).max(86_400).meta({ description: 'How long it is calm, in the mean.' }).default(1800),
      volatileSeconds: z
        .int()
        .min(1)
        .max(86_400)
        .meta({ description: 'How long it is volatile, in the mean.' })
        .default(300),
    })
    .meta({ description: 'Calm and volatile times by a chain of its own, of the same seed; absent: calm for ever.' })
    .optional(),
  halts: z
    .object({
      everySeconds: z
        .int()
        .min(10)
        .max(604_800)
        .meta({ description: 'How long a symbol trades between two halts, in the mean.' })
        .default(14_400),
      lastsSeconds: z.int().min(1).max(86_400).meta({ description: 'How long a halt lasts, in the mean.' }).default(60),
    })
    .meta({
      description:
        'Each symbol by itself is not traded for a while now and then, and opens at another price; absent: on request only.',
    })
    .optional(),
  feeBps: z
    .number()
    .min(0)
    .max(200)
    .meta({
      description: 'What the simulated venue charges a taker, bps; absent: costs.feeBps of the RiskParams in force.',
    })
    .optional(),
});

const recording = z.object({
  claimName: name('PersistentVolumeClaim with the files, in the same namespace.'),
  files: z
    .record(
      z.string().regex(VENUE_SYMBOL).max(40),
      z
        .string()
        .regex(/^[A-Za-z0-9._-]{1,100}$/)
        .max(100),
    )
    .meta({ description: "File by the venue's symbol.", maxProperties: 64 }),
  speed: z
    .number()
    .min(0)
    .max(1000)
    .meta({ description: 'Times its own pace; 0 = as fast as readers take it.' })
    .default(1),
  loop: z.boolean().meta({ description: 'Starts again at the end; clients are disconnected there.' }).default(true),
});

const alpha = z.object({
  of: name('Source of type simulator whose synthetic market it knows; it lists the same symbols.'),
  horizonSeconds: z.int().min(1).max(3600).meta({ description: 'Horizon of its edges.' }).default(60),
  slope: z
    .number()
    .gt(0)
    .max(1)
    .meta({ description: 'What an edge of 1 bps is worth, bps; what a router should find.' })
    .default(1),
  noiseBps: z.number().min(0).max(100).meta({ description: 'Deviation of the noise in what it knows.' }).default(0),
  intervalMs: z.int().min(50).max(60_000).meta({ description: 'Between two edges of a symbol, ms.' }).default(1000),
});

const options = z
  .object({
    protocol: z
      .enum(['binance', 'coinbase-exchange', 'coinbase-advanced', 'alpha'])
      .meta({ description: 'simulator: the protocol it speaks.' })
      .optional(),
    api: z
      .enum(['exchange', 'advanced'])
      .meta({ description: 'coinbase: Exchange (public feed), which is the default, or Advanced Trade.' })
      .optional(),
    market: market.meta({ description: 'simulator: a seeded market.' }).optional(),
    recording: recording.meta({ description: 'simulator: a recording.' }).optional(),
    alpha: alpha.meta({ description: 'simulator with protocol alpha: what it knows, and how well.' }).optional(),
    exchange: z
      .string()
      .regex(/^[a-z0-9]{2,32}$/)
      .max(32)
      .meta({
        description: 'ccxt: its id of the exchange, such as kraken. Symbols then have names of ccxt, such as BTC/USD.',
      })
      .optional(),
    secretRef: z
      .object({ name: name('Secret.') })
      .meta({
        description:
          'coinbase with api advanced: Secret with an API key, as `name` and `privateKey` (EC in PEM or Ed25519 in base64), to sign subscriptions with; without one they are public. alpha: Secret with `token`, sent as a bearer token. simulator: Secret with the key whose orders it takes, as a client of its protocol has it: `key` and `secret`, for coinbase-exchange `passphrase` as well, for coinbase-advanced `name` and `privateKey`; without one it takes none. Others: not yet.',
      })
      .optional(),
    pollSeconds: z
      .int()
      .min(1)
      .max(3600)
      .meta({
        description:
          'ccxt: seconds between two polls of a symbol, where the exchange has no WebSocket side for it; 1 if absent, and from 2 on its book is old between them, and nothing is opened. alpha: seconds between two polls; required with an http or https url, goes not with ws or wss; a simulator of alpha is polled where it is set.',
      })
      .optional(),
  })
  .meta({
    cel: [
      { rule: '!(has(self.market) && has(self.recording))', message: 'at most one of market, recording' },
      {
        rule: "(has(self.protocol) && self.protocol == 'alpha') == has(self.alpha)",
        message: 'alpha is required with protocol alpha and goes with no other',
      },
      {
        rule: '!has(self.alpha) || !(has(self.market) || has(self.recording))',
        message: 'market and recording go not with protocol alpha, which knows the market of another source',
      },
    ],
  });

export const source = z
  .object({
    name: name('Unique among the sources.'),
    type: z
      .enum(['coinbase', 'binance', 'ccxt', 'alpha', 'simulator'])
      .meta({ description: 'What it speaks. alpha: a signal provider, which has no book (docs/alpha.md).' }),
    symbols: z
      .record(z.string().regex(SYMBOL).max(25), z.string().regex(VENUE_SYMBOL).max(40))
      .meta({ description: "Our name → the venue's.", maxProperties: 256 }),
    url: z
      .string()
      .regex(/^(wss?|https?):\/\/[^\s@]+$/)
      .max(512)
      .meta({ description: "In place of the venue's own address. Required with alpha; not with simulator." })
      .optional(),
    options: options.default({}),
  })
  .meta({
    cel: [
      DIALABLE,
      { rule: "self.type != 'alpha' || has(self.url)", message: 'is required with type alpha', fieldPath: '.url' },
      {
        rule: "self.type != 'alpha' || !has(self.url) || self.url.startsWith('http') == has(self.options.pollSeconds)",
        message: 'alpha: pollSeconds is required with an http or https url, and goes not with ws or wss',
        fieldPath: '.options',
      },
      {
        rule: "self.type != 'alpha' || !has(self.options.secretRef) || !has(self.url) || self.url.startsWith('wss:') || self.url.startsWith('https:')",
        message: 'alpha: a token is sent over wss or https only',
        fieldPath: '.url',
      },
      {
        rule: "self.type != 'simulator' || !has(self.url)",
        message: 'goes not with type simulator',
        fieldPath: '.url',
      },
      {
        rule: "self.type == 'simulator' ? has(self.options.protocol) : !(has(self.options.protocol) || has(self.options.market) || has(self.options.recording))",
        message: 'protocol is required with type simulator; protocol, market and recording go with no other',
        fieldPath: '.options',
      },
      {
        rule: "!has(self.options.api) || self.type == 'coinbase'",
        message: 'api goes with type coinbase only',
        fieldPath: '.options',
      },
      {
        rule: "!has(self.options.pollSeconds) || self.type == 'ccxt' || self.type == 'alpha' || has(self.options.alpha)",
        message: 'pollSeconds goes with types ccxt and alpha only, or with a simulator of alpha',
        fieldPath: '.options',
      },
      {
        rule: "self.type != 'coinbase' || !has(self.options.secretRef) || (has(self.options.api) && self.options.api == 'advanced')",
        message: 'secretRef goes with api advanced: Exchange is read without a login',
        fieldPath: '.options',
      },
      {
        rule: "(self.type == 'ccxt') == has(self.options.exchange)",
        message: 'exchange is required with type ccxt and goes with no other',
        fieldPath: '.options',
      },
    ],
  });
