"""Numbers that authorities hand out, each with its form, its check digit, and the words among which it is looked for.

A form with letters, dashes or two check digits speaks for itself. A bare row of digits with one check digit is right by
chance in one of ten, so it counts only near a word that names it.
"""

from dataclasses import dataclass
from typing import Final

# Between the groups in which people write numbers.
_GAP: Final = r"[ .\u00a0\u2010-\u2015\-]?"


@dataclass(frozen=True, slots=True)
class Identifier:
    """`check` names the validator: a module of python-stdnum, or a function of `check_digits`; none: form alone."""

    kind: str
    check: str
    form: str
    # One of them must stand near the number; none: form and check are enough.
    near: str = ""


def _groups(*lengths: int) -> str:
    return _GAP.join(rf"\d{{{length}}}" for length in lengths)


IDENTIFIERS: Final = (
    # Money
    Identifier(
        "CRYPTO",
        "bitcoin",
        r"(?:bc1[02-9ac-hj-np-z]{11,71}|BC1[02-9AC-HJ-NP-Z]{11,71}|[13][1-9A-HJ-NP-Za-km-z]{25,34})",
    ),
    Identifier("ABA_ROUTING_NUMBER", "us.rtn", _groups(4, 4, 1), "routing, aba, rtn, transit number"),
    # Europe
    Identifier("UK_NHS", "gb.nhs", _groups(3, 3, 4), "nhs, national health service, health number"),
    Identifier("UK_NINO", "nino", r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]"),
    Identifier("UK_UTR", "gb.utr", r"\d{5} ?\d{5}K?", "utr, unique taxpayer, self assessment"),
    Identifier("ES_NIF", "es.nif", r"\d{8}-?[A-Za-z]"),
    Identifier("ES_NIF", "es.nif", r"(?:ES ?)?[A-Z]-?\d{7}-?[0-9A-Z]", "nif, cif, vat"),
    Identifier("ES_NIE", "es.nie", r"[XYZxyz]-?\d{7}-?[A-Za-z]"),
    Identifier("IT_FISCAL_CODE", "it.codicefiscale", r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]"),
    Identifier("IT_VAT_CODE", "it.iva", r"(?:IT ?)?\d{11}", "iva, partita, p.iva, vat"),
    Identifier(
        "EU_VAT", "eu.vat", r"[A-Z]{2} ?[0-9A-Z][0-9A-Z .]{6,13}[0-9A-Z]", "vat, tva, iva, btw, ust-id, ust, moms, uid"
    ),
    Identifier("PL_PESEL", "pl.pesel", r"\d{11}", "pesel"),
    Identifier("FI_PERSONAL_IDENTITY_CODE", "fi.hetu", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Z]"),
    Identifier("SE_PERSONNUMMER", "se.personnummer", r"(?:\d{2})?\d{6}[-+]\d{4}"),
    Identifier("SE_PERSONNUMMER", "se.personnummer", r"(?:\d{2})?\d{10}", "personnummer, personal identity"),
    Identifier("SE_ORGANISATIONSNUMMER", "se.orgnr", r"\d{6}-?\d{4}", "organisationsnummer, orgnr, org.nr, org nr"),
    Identifier("DK_CPR", "dk.cpr", r"\d{6}[- ]?\d{4}", "cpr, personnummer"),
    Identifier(
        "NO_FODSELSNUMMER",
        "no.fodselsnummer",
        r"\d{6} ?\d{5}",
        "fødselsnummer, fodselsnummer, personnummer, national identity",
    ),
    Identifier(
        "DE_TAX_ID",
        "de.idnr",
        _groups(2, 3, 3, 3),
        "steuer-id, steueridentifikationsnummer, steuerliche, idnr, tin, tax",
    ),
    Identifier(
        "DE_ID_CARD",
        "icao_document",
        r"[CFGHJKLMNPRTVWXYZ0-9]{9}\d",
        "personalausweis, ausweis, ausweisnummer, reisepass, passport, id card, identity card",
    ),
    Identifier(
        "DE_HEALTH_INSURANCE",
        "health_insurance_de",
        r"[A-Z]\d{9}",
        "krankenversicherung, versichertennummer, krankenkasse, kvnr, health insurance",
    ),
    Identifier("DE_SOCIAL_SECURITY", "pension_de", r"\d{2} ?\d{6} ?[A-Z] ?\d{3}"),
    Identifier("DE_LANR", "physician_de", r"\d{9}", "lanr, arztnummer"),
    Identifier("FR_NIR", "fr.nir", r"[1-478] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}"),
    Identifier("NL_BSN", "nl.bsn", _groups(4, 2, 3), "bsn, burgerservicenummer, sofinummer"),
    Identifier("BE_NATIONAL_NUMBER", "be.nn", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}"),
    Identifier(
        "BE_NATIONAL_NUMBER",
        "be.nn",
        r"\d{2}[ .]?\d{2}[ .]?\d{2}[ .-]?\d{3}[ .]?\d{2}",
        "rijksregister, rijksregisternummer, registre national, national number, national register",
    ),
    Identifier("CH_SOCIAL_SECURITY", "ch.ssn", r"756\.?\d{4}\.?\d{4}\.?\d{2}"),
    Identifier("IE_PPS", "ie.pps", r"\d{7}[A-W][A-IW]?", "pps, ppsn, personal public service"),
    Identifier("PT_NIF", "pt.nif", rf"(?:PT ?)?{_groups(3, 3, 3)}", "nif, contribuinte, fiscal"),
    Identifier("RO_CNP", "ro.cnp", r"[1-8]\d{12}", "cnp, cod numeric"),
    Identifier("CZ_BIRTH_NUMBER", "cz.rc", r"\d{6}/\d{4}"),
    Identifier("CZ_BIRTH_NUMBER", "cz.rc", r"\d{6}/?\d{3,4}", "rodné číslo, rodne cislo, birth number"),
    Identifier("RU_INN", "ru.inn", r"\d{10}(?:\d{2})?", "inn, инн"),
    Identifier("RU_SNILS", "snils", r"\d{3}-\d{3}-\d{3}[ -]\d{2}"),
    # The Americas
    Identifier("US_ITIN", "us.itin", r"9\d{2}-[5-9]\d-\d{4}"),
    Identifier("US_ITIN", "us.itin", r"9\d{2} ?[5-9]\d ?\d{4}", "itin, individual taxpayer"),
    Identifier("US_EIN", "us.ein", r"\d{2}-?\d{7}", "ein, employer identification"),
    Identifier("US_NPI", "npi", r"[12]\d{9}", "npi, national provider, provider identifier"),
    Identifier(
        "MEDICAL_LICENSE",
        "dea",
        r"[ABCDEFGHJKLMPRSTUX][A-Z9]\d{7}",
        "dea, medical license, medical licence, prescriber",
    ),
    Identifier(
        "US_MBI",
        "",
        r"[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y]{2}\d{2}",
    ),
    Identifier("CA_SIN", "ca.sin", _groups(3, 3, 3), "sin, social insurance"),
    Identifier("BR_CPF", "br.cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}"),
    Identifier("BR_CPF", "br.cpf", r"\d{11}", "cpf"),
    Identifier("BR_CNPJ", "br.cnpj", r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}"),
    Identifier("BR_CNPJ", "br.cnpj", r"\d{14}", "cnpj"),
    Identifier("MX_CURP", "mx.curp", r"[A-Z]{4}\d{6}[HM][A-Z]{5}[0-9A-Z]\d"),
    Identifier("CL_RUT", "cl.rut", r"\d{1,2}\.\d{3}\.\d{3}-[\dKk]"),
    Identifier("CL_RUT", "cl.rut", r"(?:CL ?)?\d{7,8}-?[\dKk]", "rut, run"),
    Identifier("AR_CUIT", "ar.cuit", r"\d{2}-\d{8}-\d"),
    Identifier("AR_CUIT", "ar.cuit", r"\d{11}", "cuit, cuil"),
    # Asia, Africa and Oceania
    Identifier("AU_ABN", "au.abn", _groups(2, 3, 3, 3), "abn, australian business"),
    Identifier("AU_ACN", "au.acn", _groups(3, 3, 3), "acn, australian company"),
    Identifier("AU_TFN", "au.tfn", r"\d{3} ?\d{3} ?\d{2,3}", "tfn, tax file"),
    Identifier("AU_MEDICARE", "medicare_au", _groups(4, 5, 1), "medicare"),
    Identifier("IN_AADHAAR", "in_.aadhaar", _groups(4, 4, 4), "aadhaar, aadhar, uidai, आधार"),
    Identifier("IN_PAN", "in_.pan", r"[A-Z]{5}\d{4}[A-Z]", "pan, permanent account"),
    Identifier("IN_GSTIN", "in_.gstin", r"\d{2}[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]"),
    Identifier("SG_NRIC_FIN", "nric", r"[STFGM]\d{7}[A-Z]"),
    Identifier("SG_UEN", "sg.uen", r"(?:\d{8,9}|[TSR]\d{2}[A-Z]{2}\d{4})[A-Z]", "uen, unique entity"),
    Identifier("KR_RRN", "kr.rrn", r"\d{6}-\d{7}"),
    Identifier("KR_BRN", "kr.brn", r"\d{3}-?\d{2}-?\d{5}", "brn, business registration, 사업자"),
    Identifier("TH_TNIN", "th.pin", r"\d-\d{4}-\d{5}-\d{2}-\d"),
    Identifier("TH_TNIN", "th.pin", r"\d{13}", "thai, tnin, national id, ประชาชน"),
    Identifier("TR_NATIONAL_ID", "tr.tckimlik", r"[1-9]\d{10}", "tckn, kimlik, tc no, turkish"),
    Identifier("ZA_ID", "za.idnr", r"\d{6} ?\d{4} ?\d{3}", "south african, sa id, id number, identity number"),
    Identifier("ZA_INCOME_TAX", "za.tin", r"[01239]\d{9}", "tax reference, tax number, sars, income tax"),
    Identifier("NG_NIN", "verhoeff", r"\d{11}", "nin, national identification"),
    Identifier("CN_RIC", "cn.ric", r"\d{17}[\dXx]"),
    Identifier("IL_ID", "il.idnr", r"\d{7,8}-?\d", "teudat, israeli, תעודת"),
    # What is tied to a person by where it is built in
    Identifier("IMEI", "imei", r"\d{2}[- ]?\d{6}[- ]?\d{6}[- ]?\d{1,2}", "imei"),
    Identifier("MAC_ADDRESS", "", r"(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}"),
    # Documents without a check digit: only by their name
    Identifier("PASSPORT", "", r"[A-Z]{0,2}\d{6,9}[A-Z]?", "passport number, passport no, passport #, passport"),
    Identifier(
        "DRIVER_LICENSE",
        "",
        r"[A-Z]{0,2}\d{5,12}[A-Z]?",
        "driver's license, drivers license, driver license, driving licence, driver's licence",
    ),
)
KINDS: Final = frozenset(identifier.kind for identifier in IDENTIFIERS)
