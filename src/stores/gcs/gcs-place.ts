/** Where a store on Google Cloud Storage is. */
export type GcsPlace = Readonly<{
  bucket: string;
  /** Empty, or a path that ends in `/`. */
  prefix: string;
  /** Another address than Google's, such as `http://127.0.0.1:4443`; asked without credentials unless it is Google's. */
  endpoint: string | undefined;
}>;
