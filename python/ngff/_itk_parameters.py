"""What the parameters of ITK's linear transforms mean, by the name of the parameterization, as matrix
and offset: y = A (x - c) + c + t with the centre c in the fixed parameters."""

import numpy as np


def _turn(angle):
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _about(axis, angle):
    """A right-handed rotation about one of three axes."""
    rest = [n for n in range(3) if n != axis]
    matrix = np.eye(3)
    matrix[np.ix_(rest, rest)] = _turn(angle if axis != 1 else -angle)
    return matrix


def _euler(p, fixed):
    """Z X Y, or Z Y X when a fourth fixed parameter says so."""
    x, y, z = (_about(axis, p[axis]) for axis in range(3))
    return z @ y @ x if len(fixed) == 4 and fixed[3] != 0 else z @ x @ y


def _quaternion(x, y, z, w):
    """A rotation times the square of the quaternion's length, which ITK does not make 1 either."""
    return np.array([[w * w + x * x - y * y - z * z, 2 * (x * y - z * w), 2 * (x * z + y * w)],
                     [2 * (x * y + z * w), w * w - x * x + y * y - z * z, 2 * (y * z - x * w)],
                     [2 * (x * z - y * w), 2 * (y * z + x * w), w * w - x * x - y * y + z * z]])


def _versor(p):
    """The right part of a unit quaternion; what is longer than one is made one, as ITK does."""
    length = np.sqrt(p[:3] @ p[:3])
    right = p[:3] / length if length > 1 else p[:3]
    return _quaternion(*right, np.sqrt(max(0.0, 1 - right @ right)))


# {name: (axes or None for any, parameters per n axes, (matrix, translation) of them)}
_KNOWN = {
    "Identity": (None, lambda n: 0, lambda p, n, f: (np.eye(n), np.zeros(n))),
    "Translation": (None, lambda n: n, lambda p, n, f: (np.eye(n), p)),
    "Scale": (None, lambda n: n, lambda p, n, f: (np.diag(p), np.zeros(n))),
    "ScaleLogarithmic": (None, lambda n: n, lambda p, n, f: (np.diag(np.exp(p)), np.zeros(n))),
    "Affine": (None, lambda n: n * n + n, lambda p, n, f: (p[: n * n].reshape(n, n), p[n * n :])),
    "Euler2D": (2, lambda n: 3, lambda p, n, f: (_turn(p[0]), p[1:])),
    "Rigid2D": (2, lambda n: 3, lambda p, n, f: (_turn(p[0]), p[1:])),
    "Similarity2D": (2, lambda n: 4, lambda p, n, f: (p[0] * _turn(p[1]), p[2:])),
    "Euler3D": (3, lambda n: 6, lambda p, n, f: (_euler(p, f), p[3:])),
    "Versor": (3, lambda n: 3, lambda p, n, f: (_versor(p), np.zeros(3))),
    "VersorRigid3D": (3, lambda n: 6, lambda p, n, f: (_versor(p), p[3:])),
    "Similarity3D": (3, lambda n: 7, lambda p, n, f: (p[6] * _versor(p), p[3:6])),
    "QuaternionRigid": (3, lambda n: 7, lambda p, n, f: (_quaternion(*p[:4]), p[4:])),
}
_DEFORMING = ("BSpline", "VelocityField", "DisplacementField", "Diffeomorphic", "Perspective",
              "AzimuthElevation")


def decode(entry, n):
    """(matrix, offset) of one transform of ITK-Wasm over n axes, in ITK's order."""
    if any(word in entry.name for word in _DEFORMING):
        raise NotImplementedError(
            f"only linear ITK transforms can be expressed as an RFC-5 affine; {entry.name!r} describes "
            "a deformation. RFC-5 represents those with a 'displacements' or 'coordinates' field "
            "instead.")
    if entry.name not in _KNOWN:
        return _by_itk(entry, n)
    axes, count, meaning = _KNOWN[entry.name]
    declared = axes or (int(entry.kind.inputDimension) if entry.name == "Identity" else n)
    if declared != n:
        raise ValueError(f"ITK-Wasm {entry.name!r} transform is {declared}D, but the coordinate system "
                         f"has {n} spatial axes")
    parameters, fixed = entry.parameters.astype(float), entry.fixed.astype(float)
    if parameters.size != count(n):
        raise ValueError(f"ITK-Wasm {entry.name!r} transform carries {parameters.size} parameters, but a "
                         f"coordinate system with {n} spatial axes requires exactly {count(n)}. The "
                         "transform's dimensionality does not match `dims`.")
    if fixed.size not in (0, n, 4 if entry.name == "Euler3D" else n):
        raise ValueError(f"ITK-Wasm {entry.name!r} transform carries {fixed.size} fixed parameters (the "
                         f"center), but a coordinate system with {n} spatial axes requires 0 or {n}")
    matrix, shift = meaning(parameters, n, fixed)
    center = fixed[:n] if fixed.size else np.zeros(n)
    return matrix, shift + center - matrix @ center


def _by_itk(entry, n):
    """The rarer ones, if the package itk is here."""
    try:
        import itk
    except ImportError as error:
        raise ImportError(f"an ITK-Wasm {entry.name!r} transform is read with the package itk, which is "
                          "not installed; or pass an Affine transform") from error
    from ._itk_transform import matrix_offset

    plain = {"transformType": {"transformParameterization": entry.name,
                               **{name: str(getattr(entry.kind, name)) if name == "parametersValueType"
                                  else int(getattr(entry.kind, name)) for name in (
                                      "parametersValueType", "inputDimension", "outputDimension")}},
             "name": entry.name, "inputSpaceName": "", "outputSpaceName": "", "metadata": {},
             "numberOfParameters": entry.parameters.size, "parameters": entry.parameters,
             "numberOfFixedParameters": entry.fixed.size, "fixedParameters": entry.fixed}
    return matrix_offset(itk.transform_from_dict([plain]), n)
