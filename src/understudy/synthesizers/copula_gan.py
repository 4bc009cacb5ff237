"""Conditional GAN on normal scores: columns are learned as a copula sees them, free of their own shapes."""

from __future__ import annotations

from typing import ClassVar

from understudy.synthesizers.ctgan import Ctgan, load

__all__ = ["CopulaGan", "load"]


class CopulaGan(Ctgan):
    """As `ctgan`, but each number is learned as the normal score of its rank."""

    name: ClassVar[str] = "copula_gan"
    is_copula: ClassVar[bool] = True
