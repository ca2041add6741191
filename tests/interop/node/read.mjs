// Reads whole arrays with zarrita. Standard input: {"store": directory or .ozx, "format": 2|3, "arrays":
// [{"path": "scale0/image", "out": file}]}. Each array's elements go to `out` in C order and native
// byte order; standard output gets one JSON line with shapes, data types and attributes.
// zarrita is found through ZARRITA, the directory that holds node_modules.
import { openAsBlob, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import path from "node:path";

const modules = path.join(process.env.ZARRITA, "node_modules");
const load = (file) => import(pathToFileURL(path.join(modules, file)).href);
const zarr = await load("zarrita/dist/src/index.js");
const fs = await load("@zarrita/storage/dist/src/fs.js");

const request = JSON.parse(readFileSync(0, "utf8"));
const openStore = async () => {
    if (!request.store.endsWith(".ozx")) return new fs.default(request.store);
    const zip = await load("@zarrita/storage/dist/src/zip.js");
    return zip.default.fromBlob(await openAsBlob(request.store));
};
const root = zarr.root(await openStore());
const open = request.format === 2 ? zarr.open.v2 : zarr.open.v3;

const cOrder = (chunk) => {
    const { data, shape, stride } = chunk;
    let expected = 1;
    let packed = true;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
        packed &&= shape[axis] === 1 || stride[axis] === expected;
        expected *= shape[axis];
    }
    if (!packed) throw new Error("zarrita answered an array that is not in C order");
    return data;
};

const answer = [];
for (const { path: where, out } of request.arrays) {
    const array = await open(root.resolve(where), { kind: "array" });
    const data = cOrder(await zarr.get(array));
    // Booleans come as a wrapper around bytes.
    const bytes = ArrayBuffer.isView(data)
        ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
        : Uint8Array.from(data, (value) => (value ? 1 : 0));
    writeFileSync(out, bytes);
    answer.push({ path: where, shape: array.shape, dtype: array.dtype, chunks: array.chunks });
}
const group = await open(root, { kind: "group" });
console.log(JSON.stringify({ arrays: answer, attributes: group.attrs }));
