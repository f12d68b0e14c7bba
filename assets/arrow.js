/** Stands for a package whose functions are not called here: results are read as JSON. */
export {};
