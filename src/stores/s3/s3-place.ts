/** Where a store on Amazon S3, or on software that speaks as it does, is. */
export type S3Place = Readonly<{
  bucket: string;
  /** Empty, or a path that ends in `/`. */
  prefix: string;
  /** Another address than Amazon's, such as `http://127.0.0.1:9000`. */
  endpoint: string | undefined;
  /** `undefined`: what the client finds (AWS_REGION, the profile); with an endpoint `us-east-1`. */
  region: string | undefined;
  /** Whether the bucket is the first name of the path, and not of the host. */
  isPathStyle: boolean;
}>;
