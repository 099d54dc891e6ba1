declare const brand: unique symbol;

/** A `Value` that was parsed once and is known to be a `Name`; only this package's parsers make one. */
export type Branded<Value, Name extends string> = Value & { readonly [brand]: Name };
