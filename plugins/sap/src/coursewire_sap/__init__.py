"""Coursewire channel for SAP SuccessFactors Learning."""
