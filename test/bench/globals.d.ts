// Node knows the type by a longer name only.
type CryptoKey = import('node:crypto').webcrypto.CryptoKey
